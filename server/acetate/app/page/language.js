const LANGUAGE = "acetate.language";

function catalogFor(tag) {
  // As the panels choose: simplified Chinese for all but those who read traditional characters.
  const [short] = tag.toLowerCase().split(/[-_]/);
  if (short === "zh") return /[-_](tw|hk|mo|hant)/i.test(tag) ? "" : "zh_CN";
  return short === "en" || short in CATALOGS ? short : "";
}

const spoken = [localStorage.getItem(LANGUAGE) ?? "", ...navigator.languages].map(catalogFor).find(Boolean) ?? "en";
const catalog = CATALOGS[spoken] ?? {};

function t(text, values = {}) {
  const meant = catalog[text.includes("{") ? text : text.toLowerCase()] ?? text;
  return meant.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

function said(sentence) {
  // What the server said in English: as a whole, or with something filled in.
  const whole = t(sentence);
  if (whole !== sentence) return whole;
  for (const template of SERVER_SENTENCES.filter((one) => one.includes("{"))) {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parts = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
    const found = new RegExp(`^${parts.join("(.+?)")}$`).exec(sentence);
    if (found) return t(template, Object.fromEntries(names.map((name, index) => [name, said(found[index + 1])])));
  }
  return sentence;
}

function translatePage() {
  document.documentElement.lang = spoken.replace("_", "-");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim().replace(/\s+/g, " ");
    if (text && node.parentElement.tagName !== "SCRIPT" && t(text) !== text) {
      node.textContent = node.textContent.replace(/\S[^]*\S|\S/, () => t(text));
    }
  }
  const choices = LANGUAGES.map(([value, words]) => new Option(t(words), value));
  find("language").replaceChildren(...choices);
  find("language").value = localStorage.getItem(LANGUAGE) ?? "";
  find("language").addEventListener("change", () => {
    localStorage.setItem(LANGUAGE, find("language").value);
    location.reload();
  });
}
translatePage();
