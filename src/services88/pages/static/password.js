// Live feedback while a new password is typed. Without it the form works all the same.
const form = document.querySelector("form[data-judge]");

if (form) {
  const field = form.elements["new"];
  const again = form.elements["again"];
  const rules = [...form.querySelectorAll("[data-rule]")];
  const meter = form.querySelector("[data-meter]");
  const said = form.querySelector("[data-strength]");
  const advice = form.querySelector("[data-advice]");
  const differ = form.querySelector("[data-differ]");
  let waiting = 0;
  let asked = 0;

  const clear = () => {
    for (const rule of rules) show(rule, null);
    meter.hidden = true;
    advice.textContent = "";
  };

  const show = (rule, state) => {
    const word = state === true ? rule.dataset.yes : state === false ? rule.dataset.no : "";
    if (state === null) delete rule.dataset.state;
    else rule.dataset.state = state ? "yes" : "no";
    rule.querySelector(".unseen").textContent = word;
  };

  const judge = async () => {
    const number = ++asked;
    const body = new URLSearchParams({ csrf: form.elements["csrf"].value, new: field.value });
    if (form.elements["name"]) body.set("name", form.elements["name"].value);
    let told = null;
    try {
      const answer = await fetch(form.dataset.judge, { method: "POST", body });
      if (answer.ok) told = await answer.json();
    } catch {
      // the server judges again when the form is sent
    }
    if (number !== asked || !field.value) return;
    if (!told) { clear(); return; } // what is shown is of what was typed before
    told.rules.forEach((state, index) => rules[index] && show(rules[index], state));
    meter.hidden = false;
    meter.dataset.score = told.score;
    said.textContent = told.strength;
    advice.textContent = told.advice.join(" ");
  };

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    if (field.value) waiting = setTimeout(judge, 350);
    else { asked++; clear(); }
  });

  again.addEventListener("input", () => { differ.hidden = true; });
  again.addEventListener("change", () => {
    differ.hidden = !again.value || again.value === field.value;
  });

  for (const toggle of form.querySelectorAll("[data-reveal]")) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const visible = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(visible));
      for (const one of form.querySelectorAll("[data-secret]")) one.type = visible ? "text" : "password";
    });
  }
  form.addEventListener("submit", () => {
    for (const one of form.querySelectorAll("[data-secret]")) one.type = "password";
  });
}

document.querySelector("[data-focus]")?.focus();
