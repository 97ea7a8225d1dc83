const find = (id) => document.getElementById(id);
const say = (text) => { find("status").textContent = text; };
const STORED = "acetate.key";
const state = { key: "", models: [], modes: [], limits: {}, jobs: new Map(), pictures: new Map(), waiting: [], setup: null, styles: new Map(), follows: [], takes: new Map(), chosen: new Map(), accepted: new Set() };

async function ask(path, options = {}) {
  const headers = { ...options.headers, Authorization: "Bearer " + state.key };
  const response = await fetch(path, { ...options, headers });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ message: response.statusText }));
    const error = new Error([problem.message, problem.hint].filter(Boolean).map(said).join(" "));
    error.code = problem.code;
    throw error;
  }
  return response;
}

const askJson = async (path, options) => (await ask(path, options)).json();
const tell = (path, value) => askJson(path, { method: "POST", body: JSON.stringify(value ?? {}) });

async function safely(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message);
    return undefined;
  }
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const button = (label, about, onclick) =>
  element("button", { type: "button", textContent: label, "aria-label": `${label}: ${about}`, onclick });

const short = (text, most = 60) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

async function pictureOf(path) {
  return URL.createObjectURL(await (await ask(path)).blob());
}

const pictureIn = (file) => createImageBitmap(file).catch(() => { throw new Error(t("{name} is no picture.", { name: file.name })); });

function choose(chooser, file) {
  // As if it had been chosen by hand: the browser then shows its name.
  const carrier = new DataTransfer();
  carrier.items.add(file);
  chooser.files = carrier.files;
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
