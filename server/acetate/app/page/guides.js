const plainName = (name) => name.replace(/\.safetensors$/, "");

function drawGuides() {
  const model = modelNow();
  const styles = model?.styles ?? [];
  const kinds = model?.controls ?? [];
  find("guides").hidden = !styles.length && !kinds.length;
  find("styles").hidden = !styles.length;
  find("style-rows").replaceChildren(...styles.map((name) => drawStyle(name, model.triggers[name])));
  find("follow").hidden = !kinds.length;
  find("follow-rows").replaceChildren(...state.follows.map((follow) => drawFollow(follow, model)));
}

function drawStyle(name, triggers) {
  const words = plainName(name);
  const weight = element("input", { type: "number", min: -4, max: 4, step: 0.05, value: state.styles.get(name) ?? 1, "aria-label": `Weight of ${words}` });
  const tick = element("input", { type: "checkbox", checked: state.styles.has(name) });
  const keep = () => (tick.checked ? state.styles.set(name, Number(weight.value)) : state.styles.delete(name));
  for (const input of [tick, weight]) input.addEventListener("change", keep);
  const row = element("div", { className: "row" }, element("label", { className: "tick" }, tick, words), weight);
  return triggers ? element("div", {}, row, element("p", { className: "note", textContent: `It listens to: ${triggers}` })) : row;
}

function drawFollow(follow, model) {
  const place = state.follows.indexOf(follow) + 1;
  const named = (words) => `${words} of picture ${place}`;
  const kinds = model.controls.map((kind) => element("option", { value: kind, textContent: KINDS[kind] ?? kind }));
  const kind = element("select", { "aria-label": named("Kind") }, ...kinds);
  if (!model.controls.includes(follow.kind)) follow.kind = model.controls[0];
  kind.value = follow.kind;
  const strength = element("input", { type: "number", min: 0, max: 2, step: 0.05, value: follow.strength, "aria-label": named("Strength") });
  const derive = element("input", { type: "checkbox", checked: follow.derived });
  const derived = element("label", { className: "tick" }, derive, "An ordinary picture: find its lines");
  const aspect = element("select", { "aria-label": named("What to go by") },
    ...ASPECTS.map(([value, words]) => element("option", { value, textContent: words })));
  aspect.value = follow.aspect;
  const suit = () => {
    derived.hidden = !model.derives.includes(follow.kind);
    aspect.hidden = follow.kind !== "reference" || !ASPECT_FAMILIES.includes(model.family);
  };
  kind.addEventListener("change", () => { follow.kind = kind.value; suit(); });
  strength.addEventListener("change", () => { follow.strength = Number(strength.value); });
  derive.addEventListener("change", () => { follow.derived = derive.checked; });
  aspect.addEventListener("change", () => { follow.aspect = aspect.value; });
  suit();
  const shown = element("img", { alt: "", hidden: !follow.address });
  if (follow.address) shown.src = follow.address;
  const chooser = element("input", { type: "file", accept: "image/*", "aria-label": `Picture ${place} to follow` });
  chooser.addEventListener("change", () => safely(async () => {
    const [file] = chooser.files;
    if (!file) return;
    follow.picture = await createImageBitmap(file).catch(() => { throw new Error(`${file.name} is no picture.`); });
    follow.address = URL.createObjectURL(file);
    Object.assign(shown, { src: follow.address, alt: `Picture ${place}`, hidden: false });
  }));
  const leave = button("Leave it", `picture ${place}`, () => {
    state.follows.splice(state.follows.indexOf(follow), 1);
    drawGuides();
  });
  return element("div", { className: "drop" }, chooser, shown, kind, strength, derived, aspect, leave);
}

function addFollow() {
  state.follows.push({ kind: modelNow().controls[0], strength: 1, derived: false, aspect: "whole" });
  drawGuides();
}

function guidesNow() {
  const model = modelNow();
  const able = new Set(model.styles);
  const styles = Object.fromEntries([...state.styles].filter(([name]) => able.has(name)));
  if (!model.controls.length) return { styles };
  const controls = state.follows.map(({ kind, strength, derived, aspect }) => ({
    kind, strength,
    derived: derived && model.derives.includes(kind),
    ...(kind === "reference" && aspect !== "whole" && ASPECT_FAMILIES.includes(model.family) ? { aspect } : {}),
  }));
  return { styles, control: controls[0] ?? null, controls: controls.slice(1) };
}

async function uploadFollowed(images, frame) {
  if (!modelNow().controls.length) return;
  for (const [index, { picture }] of state.follows.entries()) {
    if (!picture) throw new Error(`Choose picture ${index + 1} to follow first.`);
    images[index ? `control_${index + 1}` : "control"] = await upload(picture, frame);
  }
}
