const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

async function loadModels() {
  const turn = (loadModels.turn = (loadModels.turn ?? 0) + 1);
  const offer = await askJson("/v1/models");
  // A later answer may be drawn already.
  if (turn !== loadModels.turn) return;
  Object.assign(state, { models: offer.models, modes: offer.modes, limits: offer.limits });
  find("variants").max = offer.limits.variants;
  const ready = offer.models.filter((model) => model.state === "ready").length;
  if (ready !== loadModels.ready) {
    loadModels.ready = ready;
    await loadSetup();
  }
  const marked = JSON.stringify([state.models, state.modes]);
  if (marked === loadModels.last) return;
  loadModels.last = marked;
  drawModes();
  find("models").replaceChildren(...bestFirst(state.models).map(drawCard));
}

const modeWords = (name) => t(state.modes.find((mode) => mode.name === name)?.words ?? name);

function licenceTick(model, licence) {
  // The card is drawn anew while something is fetched.
  const box = element("input", { type: "checkbox", value: licence, checked: state.accepted.has(model.id + licence) });
  box.addEventListener("change", () => state.accepted[box.checked ? "add" : "delete"](model.id + licence));
  return element("label", { className: "tick" }, box, `${t("I accept")} `, licenceLabel(licence));
}

function drawCard(model) {
  const name = model.name || model.id;
  const card = element("div", { className: "model" }, element("h3", { textContent: name }));
  const share = Math.floor(model.progress * 100);
  const sentence = {
    ready: t("Ready: {modes}", { modes: model.modes.map(modeWords).join(" · ") }),
    downloading: [t("Fetching: {share} %", { share }), model.bytes_total && gigabytes(model.bytes_total),
      model.seconds_left >= 0 && t("{duration} left", { duration: `${Math.ceil(model.seconds_left / 60)} min` })].filter(Boolean).join(" · "),
    paused: t("Paused at {share} %", { share }),
  }[model.state] ?? said(model.reason);
  card.append(element("p", { className: "note", textContent: sentence }));
  const fit = fitOf(model);
  if (fit) card.append(element("p", { className: "note", textContent: said(fit.words) }));
  if (model.state !== "ready" && model.state !== "downloading" && model.bytes_total) {
    const free = state.setup && state.setup.free >= 0 ? ` · ${freeWords()}` : "";
    card.append(element("p", { className: "note", textContent: gigabytes(model.bytes_total) + free }));
  }
  const actions = element("div", { className: "actions" });
  if (model.state === "downloading") {
    card.append(element("progress", { max: 1, value: model.progress, "aria-label": t("Fetching {name}", { name }) }));
    actions.append(button(t("Pause"), name, () => safely(() => tell(`/v1/models/${model.id}/pause`).then(loadModels))));
  } else if (model.state !== "ready") {
    card.append(...model.licences.map((licence) => licenceTick(model, licence)));
    actions.append(button(t("Get it"), name, () => safely(async () => {
      const accepted = model.licences.filter((licence) => state.accepted.has(model.id + licence));
      await tell(`/v1/models/${model.id}/pull`, { accepted });
      for (const licence of accepted) state.accepted.delete(model.id + licence);
      await loadModels();
    })));
  } else if (model.id !== "embedded") {
    actions.append(button(t("Remove files"), name, () => safely(async () => {
      await ask("/v1/models/" + model.id, { method: "DELETE" });
      await loadModels();
    })));
  }
  card.append(actions);
  return card;
}
