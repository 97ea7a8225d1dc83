const ownFields = () => FIELDS.filter((field) => field.modes.includes(modeNow().name));
const bounds = ({ least: min, most: max, step }) => ({ min, max, step });
for (const [name, bound] of Object.entries(BOUNDS)) if (find(name)) Object.assign(find(name), bounds(bound));
const inputOf = (field) => find("field-" + field.name);

function drawFields() {
  find("fields").replaceChildren(...ownFields().map(drawField));
  const fill = find("field-fill");
  if (fill) fill.addEventListener("change", suitFill);
  if (fill) suitFill();
}

function suitFill() {
  find("field-strength").value = FILL_STRENGTH[find("field-fill").value];
}

function drawField(field) {
  const id = "field-" + field.name;
  const [label, title] = [t(field.label), t(field.tip)];
  if (field.kind === "toggle") {
    return element("label", { className: "tick", title }, element("input", { id, type: "checkbox", checked: field.default }), label);
  }
  const chooser = field.kind === "menu"
    ? element("select", { id, title }, ...field.choices.map(([value, words]) => element("option", { value, textContent: t(words) })))
    : element("input", { id, title, type: "number", ...bounds(field) });
  chooser.value = field.default;
  return element("div", {}, element("label", { htmlFor: id, textContent: label }), chooser);
}

function fieldsNow() {
  return Object.fromEntries(ownFields().map((field) => {
    const { checked, value } = inputOf(field);
    return [field.name, { toggle: checked, menu: value }[field.kind] ?? Number(value)];
  }));
}

function restoreFields(recipe) {
  for (const field of ownFields()) {
    if (field.kind === "toggle") inputOf(field).checked = recipe[field.name];
    else inputOf(field).value = recipe[field.name];
  }
}
