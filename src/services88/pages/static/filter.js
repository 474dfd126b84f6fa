// Filters the list of operations as the person types. Without it the form asks the server.
const field = document.querySelector("[data-filter]");
const said = document.querySelector("[data-filtered]");

field?.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const area of document.querySelectorAll("[data-area]")) {
    let here = 0;
    for (const one of area.querySelectorAll("[data-words]")) {
      one.hidden = !words.every((word) => one.dataset.words.includes(word));
      here += one.hidden ? 0 : 1;
    }
    area.hidden = !here;
    left += here;
  }
  said.hidden = left > 0;
  said.textContent = left ? "" : said.dataset.none;
});
