const modeNow = () => state.modes.find((mode) => mode.name === find("mode").value);
const modelNow = () => state.models.find((model) => model.id === find("model").value);

function drawModes() {
  const chosen = find("mode").value || "text";
  find("mode").replaceChildren(
    ...state.modes.map((mode) => element("option", { value: mode.name, textContent: t(mode.words) }))
  );
  if (state.modes.some((mode) => mode.name === chosen)) find("mode").value = chosen;
  drawMode();
}

function drawMode() {
  const mode = modeNow();
  if (!mode) return;
  const able = state.models.filter((model) => model.state === "ready" && model.modes.includes(mode.name));
  const chosen = find("model").value;
  find("model").replaceChildren(
    ...able.map((model) => element("option", { value: model.id, textContent: model.name || model.id }))
  );
  if (able.some((model) => model.id === chosen)) find("model").value = chosen;
  const other = bestFirst(state.models).find((model) => model.modes.includes(mode.name));
  find("mode-note").textContent = able.length ? "" : other ? needs(other) : t("No model that is known here can do that.");
  find("generate").disabled = !able.length;
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
    const picture = await pictureIn(file);
    if (!zone.isConnected) return; // Another mode was chosen meanwhile.
    state.pictures.set(input.name, { picture, file });
    Object.assign(shown, { src: URL.createObjectURL(file), alt: label, hidden: false });
    find("width").value = picture.width;
    find("height").value = picture.height;
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
    const lacking = modeNow().inputs.find((input) => input.required && !state.pictures.has(input.name));
    if (lacking) throw new Error(t("Choose first: {what}.", { what: t(lacking.words) }));
    const recipe = recipeNow();
    const wish = { width: Number(find("width").value), height: Number(find("height").value), model: recipe.model, mode: recipe.mode };
    const frame = await tell("/v1/frames", wish);
    const images = {};
    const chosen = { inputs: [...state.pictures].map(([name, { file }]) => [name, file]), follows: state.follows.map(({ file }) => file) };
    for (const [name, { picture }] of state.pictures) images[name] = await upload(picture, frame);
    await uploadFollowed(images, frame);
    const taken = await tell("/v1/jobs", { recipe, images, frame, variants: find("variants").disabled ? 1 : Number(find("variants").value) });
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
  for (const [name, file] of inputs) await state.takes.get(name)?.(file);
  await restoreGuides(recipe, follows);
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
