const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

async function signIn(key) {
  state.key = key;
  const health = await askJson("/v1/health");
  localStorage.setItem(STORED, key);
  find("sign-in").hidden = true;
  find("studio").hidden = false;
  say(health.ready ? t("{server} is ready.", health) : t("{server} is starting its worker.", health));
  try {
    // A job that is there before its mode could not be painted again.
    await loadModels();
    await loadJobs();
  } finally {
    follow();
    if (!state.watching) watchModels();
    state.watching = true;
  }
}

async function loadJobs() {
  const jobs = await askJson("/v1/jobs");
  // What was removed while nobody told this page is known here still.
  for (const job of jobs.filter((one) => !one.acknowledged || state.jobs.has(one.job))) {
    take(job.acknowledged || WAITING.includes(job.state) ? job : await askJson("/v1/jobs/" + job.job));
  }
}

async function follow() {
  for (;;) {
    try {
      const reader = (await ask("/v1/events")).body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      await loadJobs();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) {
          const change = JSON.parse(line);
          take(change.job, change.preview);
          if (change.job.state === "done" && !change.job.acknowledged) say(t("Done: {what}", { what: titleOf(change.job) }));
        }
      }
    } catch (error) {
      if (error.code === "no_token") return signOut();
      say(t("The server does not answer; trying again."));
    }
    await pause(1000);
  }
}

async function watchModels() {
  for (;;) {
    const moving = state.models.some((model) => model.state === "downloading") || !state.models.length;
    await pause(moving ? 1000 : 10000);
    await loadModels().catch(() => undefined);
  }
}

function signOut() {
  localStorage.removeItem(STORED);
  find("sign-in").hidden = false;
  find("studio").hidden = true;
  say(t("The server was started anew: open this page again with acetate open."));
}

async function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("open");
  history.replaceState(null, "", "/");
  if (code) {
    const answer = await fetch("/v1/page-keys", { method: "POST", headers: { Authorization: "Bearer " + code } });
    if (!answer.ok) return say(t("This link has been used, or is too old: open the page again with acetate open."));
    return signIn((await answer.json()).key);
  }
  const stored = localStorage.getItem(STORED);
  if (stored) await signIn(stored).catch((error) => (error.code === "no_token" ? signOut() : say(error.message)));
}

find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  safely(() => signIn(find("token").value.trim()));
});
find("paint").addEventListener("submit", paint);
find("mode").addEventListener("change", drawMode);
find("model").addEventListener("change", drawModel);
find("add-follow").addEventListener("click", addFollow);
find("empty").addEventListener("click", () => {
  for (const job of state.jobs.values()) if (WAITING.includes(job.state)) cancel(job.job);
});
find("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) find("paint").requestSubmit();
});
find("ground").addEventListener("input", () => {
  const kind = document.querySelector("input[name=ground]:checked").value;
  const ground = { black: "#000", white: "#fff", colour: find("colour").value }[kind];
  const root = document.documentElement.style;
  if (ground) root.setProperty("--behind", ground);
  else root.removeProperty("--behind");
});
safely(enter);
