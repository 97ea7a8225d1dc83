const plainName = (name) => name.replace(/\.safetensors$/, "");

function drawGuides() {
  const model = modelNow();
  const { styles, controls: kinds } = guidesOf(model);
  find("guides").hidden = !styles.length && !kinds.length;
  find("styles").hidden = !styles.length;
  find("style-rows").replaceChildren(...styles.map((name) => drawStyle(name, model.triggers[name])));
  find("follow").hidden = !kinds.length;
  find("follow-rows").replaceChildren(...(kinds.length ? state.follows.map((follow) => drawFollow(follow, model)) : []));
}

function guidesOf(model) {
  if (!model || UNPROMPTED.includes(modeNow().name)) return { styles: [], controls: [] };
  return model;
}

function drawStyle(name, triggers) {
  const words = plainName(name);
  const weight = element("input", { type: "number", ...bounds(BOUNDS.style), value: state.styles.get(name) ?? 1, "aria-label": t("Weight of {name}", { name: words }) });
  const tick = element("input", { type: "checkbox", checked: state.styles.has(name) });
  const keep = () => (tick.checked ? state.styles.set(name, Number(weight.value)) : state.styles.delete(name));
  for (const input of [tick, weight]) input.addEventListener("change", keep);
  const row = element("div", { className: "row" }, element("label", { className: "tick" }, tick, words), weight);
  return triggers ? element("div", {}, row, element("p", { className: "note", textContent: t("It listens to: {words}", { words: triggers }) })) : row;
}

function drawFollow(follow, model) {
  const place = state.follows.indexOf(follow) + 1;
  const named = (what) => t("{what} of picture {place}", { what, place });
  const kinds = model.controls.map((kind) => element("option", { value: kind, textContent: t(KINDS[kind] ?? kind) }));
  const kind = element("select", { "aria-label": named(t("Kind")) }, ...kinds);
  if (!model.controls.includes(follow.kind)) follow.kind = model.controls[0];
  kind.value = follow.kind;
  const strength = element("input", { type: "number", ...bounds(BOUNDS.control), value: follow.strength, "aria-label": named(t("Strength")) });
  const derive = element("input", { type: "checkbox", checked: follow.derived });
  const derived = element("label", { className: "tick" }, derive, t("An ordinary picture: find its lines"));
  const aspect = element("select", { "aria-label": named(t("What to go by")) },
    ...ASPECTS.map(([value, words]) => element("option", { value, textContent: t(words) })));
  aspect.value = follow.aspect;
  strength.addEventListener("change", () => { follow.strength = Number(strength.value); });
  derive.addEventListener("change", () => { follow.derived = derive.checked; });
  follow.chooser.ariaLabel = t("Picture {place} to follow", { place });
  const remove = button(t("Remove"), t("Picture {place}", { place }), () => {
    state.follows.splice(state.follows.indexOf(follow), 1);
    drawGuides();
  });
  const goBy = element("div", {}, captioned(t("What to go by"), aspect));
  aspect.addEventListener("change", () => { follow.aspect = aspect.value; });
  const suit = () => {
    derived.hidden = !model.derives.includes(follow.kind);
    goBy.hidden = follow.kind !== "reference" || !ASPECT_FAMILIES.includes(model.family);
  };
  kind.addEventListener("change", () => { follow.kind = kind.value; suit(); });
  suit();
  return element("div", { className: "drop" }, follow.chooser, follow.shown,
    element("div", { className: "row" }, captioned(t("Kind"), kind), captioned(t("Strength"), strength)), goBy, derived, remove);
}

const captioned = (words, input) => element("label", {}, words, input);

function chooserOf(follow) {
  const chooser = element("input", { type: "file", accept: "image/*" });
  chooser.addEventListener("change", () => safely(() => takeFollowed(follow, chooser.files[0])));
  return chooser;
}

async function takeFollowed(follow, file) {
  if (!file) return;
  const picture = pictureIn(file);
  Object.assign(follow, { picture, file });
  // Another one may be chosen while this one is read.
  const counts = () => follow.picture === picture;
  try {
    await picture;
  } catch (error) {
    if (!counts()) return;
    Object.assign(follow, { picture: undefined, file: undefined });
    throw error;
  }
  if (counts()) Object.assign(follow.shown, { src: URL.createObjectURL(file), alt: follow.chooser.ariaLabel, hidden: false });
}

function followOf({ kind, strength = 1, derived = false, aspect = "whole" }) {
  const follow = { kind, strength, derived, aspect, shown: element("img", { alt: "", hidden: true }) };
  follow.chooser = chooserOf(follow);
  return follow;
}

function addFollow() {
  state.follows.push(followOf({ kind: modelNow().controls[0] }));
  drawGuides();
}

function restoreGuides(recipe, files) {
  state.styles = new Map(Object.entries(recipe.styles));
  const follows = [recipe.control, ...recipe.controls].filter(Boolean).map(followOf);
  state.follows = follows;
  drawGuides();
  return follows.filter((_, index) => files[index]).map((follow) => {
    const file = files[follows.indexOf(follow)];
    choose(follow.chooser, file);
    return takeFollowed(follow, file);
  });
}

function guidesNow() {
  const model = modelNow();
  const able = guidesOf(model);
  const styles = Object.fromEntries([...state.styles].filter(([name]) => able.styles.includes(name)));
  if (!able.controls.length) return { styles };
  const controls = state.follows.map(({ kind, strength, derived, aspect }) => ({
    kind, strength,
    derived: derived && model.derives.includes(kind),
    ...(kind === "reference" && aspect !== "whole" && ASPECT_FAMILIES.includes(model.family) ? { aspect } : {}),
  }));
  return { styles, control: controls[0] ?? null, controls: controls.slice(1) };
}

function followedNow() {
  if (!guidesOf(modelNow()).controls.length) return [];
  return state.follows.map(({ picture }, index) => {
    if (!picture) throw new Error(t("Choose first: {what}.", { what: t("Picture {place} to follow", { place: index + 1 }) }));
    return [index ? `control_${index + 1}` : "control", picture];
  });
}
