const modeNow = () => state.modes.find((mode) => mode.name === find("mode").value);
const modelNow = () => state.models.find((model) => model.id === find("model").value);

function refill(menu, options) {
  // Only what differs: an open menu closes when it is filled anew.
  const told = (list) => JSON.stringify(Array.from(list, (one) => [one.value, one.textContent]));
  if (told(menu.options) === told(options)) return;
  const chosen = menu.value;
  menu.replaceChildren(...options);
  if (options.some((one) => one.value === chosen)) menu.value = chosen;
}

function drawModes() {
  const before = find("mode").value;
  refill(find("mode"), state.modes.map((mode) => element("option", { value: mode.name, textContent: t(mode.words) })));
  if (!before && state.modes.some((mode) => mode.name === "text")) find("mode").value = "text";
  // What is filled in stays while the mode does.
  if (find("mode").value !== before) drawMode();
  else if (offerModels()) drawModel();
}

function offerModels() {
  // Returns whether another model is chosen by it.
  const mode = modeNow();
  if (!mode) return false;
  const able = state.models.filter((model) => model.state === "ready" && model.modes.includes(mode.name));
  const chosen = find("model").value;
  refill(find("model"), able.map((model) => element("option", { value: model.id, textContent: model.name || model.id })));
  const other = bestFirst(state.models).find((model) => model.modes.includes(mode.name));
  find("mode-note").textContent = able.length ? "" : other ? needs(other) : t("No model that is known here can do that.");
  find("generate").disabled = !able.length;
  return find("model").value !== chosen;
}

function drawMode() {
  const mode = modeNow();
  if (!mode) return;
  // What is still being restored was meant for the form that was.
  restore.turn = (restore.turn ?? 0) + 1;
  offerModels();
  find("layer-prompts").replaceChildren(
    ...mode.prompts.flatMap((role) => [
      element("label", { htmlFor: "prompt-" + role, textContent: t("Prompt: {layer}", { layer: roleWords(role) }) }),
      element("input", { id: "prompt-" + role, placeholder: t("as above") }),
    ])
  );
  for (const part of ["wording", "numbers"]) offer(part, !UNPROMPTED.includes(mode.name));
  offer("size", !OWN_PIXELS.includes(mode.name));
  drawFields();
  state.pictures.clear();
  state.takes.clear();
  find("pictures").replaceChildren(...mode.inputs.map(drawInput));
  drawModel();
}

function needs(model) {
  const name = model.name || model.id;
  if (!model.bytes_total) return t("Needs {name}: get it below.", { name });
  return t("Needs {name}, {size}: get it below.", { name, size: gigabytes(model.bytes_total) });
}

const roleWords = (role) => t(ROLES[role] ?? role);

function offer(part, shown) {
  // What is hidden is not asked for either: it would keep the form from being sent.
  find(part).hidden = !shown;
  for (const field of find(part).querySelectorAll("input, textarea")) field.disabled = !shown;
}

function drawModel() {
  const model = modelNow();
  if (!model) return;
  for (const side of ["width", "height"]) find(side).value = find(side).value || model.native || 512;
  find("steps").value = model.steps || 20;
  find("guidance").value = model.guidance || 0;
  drawGuides();
}

function drawInput(input) {
  const id = "input-" + input.name;
  const shown = element("img", { alt: "", hidden: true });
  const chooser = element("input", { id, type: "file", accept: "image/*" });
  const words = t(input.words);
  const label = input.required ? words : t("{what} (may be left out)", { what: words });
  const zone = element("div", { className: "drop" },
    element("label", { htmlFor: id, textContent: t("Drop or choose: {what}", { what: label }) }), chooser, shown);
  const take = async (file) => {
    if (!file) return;
    const chosen = { picture: pictureIn(file), file };
    state.pictures.set(input.name, chosen);
    // Another picture or another mode may be chosen while this one is read.
    const counts = () => state.pictures.get(input.name) === chosen;
    try {
      const { width, height } = await chosen.picture;
      if (!counts()) return;
      Object.assign(shown, { src: URL.createObjectURL(file), alt: label, hidden: false });
      find("width").value = width;
      find("height").value = height;
    } catch (error) {
      if (!counts()) return;
      state.pictures.delete(input.name);
      throw error;
    }
  };
  state.takes.set(input.name, (file) => { choose(chooser, file); return take(file); });
  chooser.addEventListener("change", () => safely(() => take(chooser.files[0])));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    safely(() => take(event.dataTransfer.files[0]));
  });
  return zone;
}

function recipeNow() {
  if (!find("keep-seed").checked || !find("seed").value) {
    find("seed").value = crypto.getRandomValues(new Uint32Array(1))[0] % DRAWN_SEEDS;
  }
  const prompts = Object.fromEntries(
    modeNow().prompts.map((role) => [role, find("prompt-" + role).value.trim()]).filter(([, words]) => words)
  );
  return {
    mode: modeNow().name, model: modelNow().id, ...wordingNow(), layer_prompts: prompts,
    seed: Number(find("seed").value), steps: Number(find("steps").value),
    guidance: Number(find("guidance").value), ...fieldsNow(), ...guidesNow(),
  };
}

function wordingNow() {
  if (UNPROMPTED.includes(modeNow().name)) return { prompt: "", negative_prompt: "" };
  return { prompt: find("prompt").value.trim(), negative_prompt: find("avoid").value.trim() };
}

async function upload(picture, frame) {
  // The model sees the canvas, which may reach beyond the picture.
  const { canvas, region } = frame;
  const sheet = element("canvas", { width: canvas.width, height: canvas.height });
  sheet.getContext("2d").drawImage(picture, region.x - canvas.x, region.y - canvas.y, region.width, region.height);
  const body = await new Promise((done) => sheet.toBlob(done, "image/png"));
  return askJson("/v1/images", { method: "POST", body, headers: { "Content-Type": "image/png" } });
}

async function paint(event) {
  event.preventDefault();
  await safely(async () => {
    // A picture that is being read gives its size to the form. What is asked for is then taken from
    // the form in one moment: it may be another when the server has answered.
    await Promise.all([...state.pictures.values(), ...state.follows].map(({ picture }) => picture));
    const lacking = modeNow().inputs.find((input) => input.required && !state.pictures.has(input.name));
    if (lacking) throw new Error(t("Choose first: {what}.", { what: t(lacking.words) }));
    const pictures = [...[...state.pictures].map(([name, { picture }]) => [name, picture]), ...followedNow()];
    const chosen = { inputs: [...state.pictures].map(([name, { file }]) => [name, file]), follows: state.follows.map(({ file }) => file) };
    const variants = find("variants").disabled ? 1 : Number(find("variants").value);
    const recipe = recipeNow();
    const wish = { width: Number(find("width").value), height: Number(find("height").value), model: recipe.model, mode: recipe.mode };
    const frame = await tell("/v1/frames", wish);
    const images = {};
    for (const [name, picture] of pictures) images[name] = await upload(await picture, frame);
    const taken = await tell("/v1/jobs", { recipe, images, frame, variants });
    state.chosen.set(taken.job, chosen);
    say(t("Taken: it waits in the queue."));
  });
}

async function restore(job, recipe, seed) {
  // Whether all is there that it was painted from: pictures are only those that this page was given.
  if (!state.modes.some((mode) => mode.name === recipe.mode)) throw new Error(t("No model that is known here can do that."));
  find("mode").value = recipe.mode;
  drawMode();
  if ([...find("model").options].some((option) => option.value === recipe.model)) find("model").value = recipe.model;
  drawModel();
  find("prompt").value = recipe.prompt;
  find("avoid").value = recipe.negative_prompt;
  find("steps").value = recipe.steps;
  find("guidance").value = recipe.guidance;
  restoreFields(recipe);
  find("keep-seed").checked = seed;
  find("seed").value = recipe.seed;
  for (const [role, words] of Object.entries(recipe.layer_prompts)) {
    const field = find("prompt-" + role);
    if (field) field.value = words;
  }
  const { inputs, follows } = state.chosen.get(job.job) ?? { inputs: [], follows: [] };
  const { turn } = restore;
  const read = inputs.map(([name, file]) => state.takes.get(name)?.(file));
  await Promise.all([...read, ...restoreGuides(recipe, follows)]);
  if (turn !== restore.turn) return false;
  const [layer] = job.layers ?? [];
  if (layer && !state.pictures.size && !OWN_PIXELS.includes(recipe.mode)) {
    find("width").value = layer.width;
    find("height").value = layer.height;
  }
  const lacking = state.follows.some(({ file }) => !file) || modeNow().inputs.some(
    ({ name, required }) => (required || name in recipe.inputs) && !state.pictures.has(name));
  if (lacking) say(t("Choose the pictures again: this page does not have them any more."));
  return !lacking;
}
