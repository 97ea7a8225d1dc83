const STANDS = { here: t("here"), missing: t("missing"), wrong_place: t("in the wrong place"), other_version: t("another version") };

async function loadSetup() {
  state.setup = await askJson("/v1/setup").catch(() => state.setup);
  if (!state.setup) return;
  const parts = state.setup.parts.filter((part) => !part.name.startsWith("model "));
  find("setup").replaceChildren(...parts.map(drawPart));
  find("machine").textContent = [
    state.setup.card ? t("This machine: {card}", state.setup) : t("This machine: no card that is known"),
    state.setup.free >= 0 && freeWords(),
  ].filter(Boolean).join(" · ");
  loadModels.last = "";
}

const freeWords = () => t("{free} GB free for models", state.setup);

function drawPart(part) {
  const row = element("div", { className: "part" },
    element("h3", { textContent: `${part.state === "here" ? "●" : "○"} ${said(part.name)}: ${STANDS[part.state]}` }),
    element("p", { className: "note", textContent: said(part.words) }));
  const facts = [part.gigabytes > 0 ? `${part.gigabytes} GB ` : "", part.link ? linkTo(part.licence, part.link) : ""];
  if (facts.some(Boolean)) row.append(element("p", { className: "note" }, ...facts));
  const command = part.cure.replace("Run in a terminal: ", "");
  if (command) {
    row.append(element("div", { className: "actions" }, element("code", { textContent: command }),
      button(t("Copy"), command, () => safely(async () => {
        await navigator.clipboard.writeText(command);
        say(t("Copied: run it in a terminal."));
      }))));
  }
  return row;
}

const linkTo = (words, address) =>
  element("a", { href: address, textContent: words, target: "_blank", rel: "noopener noreferrer" });

function licenceLabel(licence) {
  const address = LICENCES[licence.toLowerCase()];
  return address ? linkTo(licence, address) : licence;
}

const fitOf = (model) => state.setup?.models.find((one) => one.model === model.id);

function bestFirst(models) {
  const order = (state.setup?.models ?? []).map((one) => one.model);
  const place = (model) => (order.includes(model.id) ? order.indexOf(model.id) : order.length);
  return [...models].sort((a, b) => place(a) - place(b));
}
