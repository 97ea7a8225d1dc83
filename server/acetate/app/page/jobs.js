const WAITING = ["queued", "running"];

// A job waits, has ended, is removed: it never goes back.
const reached = (job) => (job.acknowledged ? 2 : WAITING.includes(job.state) ? 0 : 1);

function take(job, preview = 0) {
  const known = state.jobs.get(job.job);
  // Answers and events overtake each other: one may tell of what has passed.
  if (known && reached(job) < reached(known)) return;
  state.jobs.set(job.job, { ...known, ...job, preview });
  draw();
}

function titleOf(job) {
  const { prompt, mode } = job.recipe;
  return short(prompt || t(state.modes.find((one) => one.name === mode)?.words || mode));
}

let drawing = false;
function draw() {
  // Many changes in one moment are one picture.
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const jobs = [...state.jobs.values()].sort((a, b) => (a.ahead ?? 0) - (b.ahead ?? 0) || a.created - b.created);
    drawQueue(jobs.filter((job) => WAITING.includes(job.state)));
    const ended = jobs.filter((job) => !WAITING.includes(job.state) && !job.acknowledged);
    drawResults(ended.sort((a, b) => b.created - a.created));
  });
}

function drawQueue(jobs) {
  find("queue-empty").hidden = jobs.length > 0;
  const ordered = [...jobs].sort((a, b) => (b.state === "running") - (a.state === "running"));
  state.waiting = ordered.filter((job) => job.state === "queued").map((job) => job.job);
  find("empty").hidden = ordered.length < 2;
  keepInStep(find("queue"), ordered, "li", drawWaiting);
}

const cancel = (job) => safely(async () => take(await askJson("/v1/jobs/" + job, { method: "DELETE" })));

function move(job, by) {
  // Before its neighbour above, or after the one below: before the one behind that.
  const place = state.waiting.indexOf(job);
  const before = state.waiting[by < 0 ? place - 1 : place + 2] ?? "";
  return safely(async () => take(await tell(`/v1/jobs/${job}/move`, { before })));
}

function keepInStep(list, jobs, tag, drawOne) {
  const known = new Map([...list.children].map((child) => [child.dataset.job, child]));
  for (const job of jobs) {
    const node = known.get(job.job) ?? element(tag);
    known.delete(job.job);
    node.dataset.job = job.job;
    drawOne(node, job);
    if (node !== list.children[jobs.indexOf(job)]) list.insertBefore(node, list.children[jobs.indexOf(job)] ?? null);
  }
  for (const gone of known.values()) gone.remove();
}

function drawWaiting(node, job) {
  const about = titleOf(job);
  if (!node.firstChild) {
    node.append(
      element("img", { alt: t("Preview of {what}", { what: about }), hidden: true }),
      element("div", {}, element("div", { className: "text", textContent: about }),
        element("progress", { max: 1, "aria-label": t("Progress of {what}", { what: about }) }),
        element("div", { className: "note" }),
        element("div", { className: "actions" },
          button(t("Cancel"), about, () => cancel(job.job)),
          button(t("Paint next"), about, () => safely(async () => take(await tell(`/v1/jobs/${job.job}/first`)))),
          button(t("Sooner"), about, () => move(job.job, -1)),
          button(t("Later"), about, () => move(job.job, 1))))
    );
  }
  const progress = job.progress;
  const bar = node.querySelector("progress");
  if (progress && progress.steps) bar.value = progress.step / progress.steps;
  else bar.removeAttribute("value");
  const stands = job.state === "queued" ? t("Waits") : progress && progress.steps ? t("Step {step} of {steps}", progress) : t("Begins");
  node.querySelector(".note").textContent = [stands, progress?.note && said(progress.note)].filter(Boolean).join(". ");
  const place = state.waiting.indexOf(job.job);
  const [, next, sooner, later] = node.querySelectorAll("button");
  next.hidden = place < 1;
  sooner.hidden = place < 1;
  later.hidden = place < 0 || place === state.waiting.length - 1;
  if (job.preview && job.preview !== Number(node.dataset.preview)) {
    node.dataset.preview = job.preview;
    pictureOf(`/v1/jobs/${job.job}/preview`).then((url) => {
      const image = node.querySelector("img");
      URL.revokeObjectURL(image.src);
      image.src = url;
      image.hidden = false;
    }).catch(() => undefined);
  }
}

function drawResults(jobs) {
  find("results-empty").hidden = jobs.length > 0;
  keepInStep(find("results"), jobs, "article", drawResult);
}

function drawResult(node, job) {
  if (node.dataset.state === job.state) return;
  node.dataset.state = job.state;
  const about = titleOf(job);
  const forget = button(t("Remove"), about, () => safely(async () => take(await tell(`/v1/jobs/${job.job}/acknowledge`))));
  node.replaceChildren(element("h3", { textContent: about }));
  if (job.state !== "done") {
    node.classList.add("failed");
    const why = job.state === "cancelled" ? t("Cancelled.") : [job.message, job.hint].filter(Boolean).map(said).join(" ");
    node.append(element("p", { textContent: why }), ...(job.layers ?? []).map((layer) => drawLayer(job, layer)), element("div", { className: "actions" },
      button(t("Again"), about, () => safely(() => restore(job, job.recipe, true))), forget));
    return;
  }
  for (const layer of job.layers ?? []) node.append(drawLayer(job, layer));
  const variants = new Set((job.layers ?? []).map((layer) => layer.variant ?? 0));
  const exports = [...variants].flatMap((variant) => ["ora", "psd"].map((format) =>
    button(format.toUpperCase() + (variants.size > 1 ? ` ${variant + 1}` : ""), t("{what}, all layers", { what: about }), () => safely(async () =>
      save(await (await ask(`/v1/jobs/${job.job}/export?format=${format}&variant=${variant}`)).blob(), `${fileName(about)}.${format}`)))));
  const recipe = job.layers?.[0]?.recipe ?? job.recipe;
  node.append(
    element("div", { className: "actions" }, ...exports,
      button(t("Again"), about, () => safely(async () => { await restore(job, recipe, true); find("prompt").focus(); })),
      button(t("Vary"), about, () => safely(async () => { if (await restore(job, recipe, false)) find("paint").requestSubmit(); })), forget),
    element("details", {}, element("summary", { textContent: t("Recipe") }),
      element("pre", { textContent: JSON.stringify(recipe, null, 1), tabIndex: 0 }))
  );
}

const fileName = (text) => text.replace(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 40) || "layer";

function drawLayer(job, layer) {
  const image = element("img", { alt: `${roleWords(layer.role)}: ${layer.name}`, width: layer.width, height: layer.height });
  const path = `/v1/jobs/${job.job}/layers/${layer.index}`;
  pictureOf(path).then((url) => { image.src = url; }).catch((error) => say(error.message));
  const name = fileName(layer.name || layer.role);
  const webp = () => safely(async () => {
    const sheet = element("canvas", { width: layer.width, height: layer.height });
    sheet.getContext("2d").drawImage(image, 0, 0);
    save(await new Promise((done) => sheet.toBlob(done, "image/webp", 1)), name + ".webp");
  });
  return element("figure", {}, image,
    element("figcaption", { textContent: `${roleWords(layer.role)}: ${layer.name} (${layer.width} × ${layer.height})` }),
    element("div", { className: "actions" },
      button("PNG", layer.name, () => safely(async () => save(await (await ask(path)).blob(), name + ".png"))),
      button("WebP", layer.name, webp)));
}
