// Sorts the table by a column when its header is pressed, and shows the rows with all words of the filter.
// What a cell is sorted by is its `data-v`; in a column of words its text, if it has none. What is never
// reached, or not there, comes last either way; rows that are alike stay as they stood.
"use strict";
{
  const body = document.querySelector("table.cells tbody");
  const heads = [...document.querySelectorAll("table.cells thead th")];
  const box = document.querySelector(".filter");
  const input = box.querySelector("input"), count = box.querySelector("output");
  const sort = (i, way) => {
    const words = heads[i].classList.contains("word");
    const rank = v => v === "" ? 2 : !words && v === "inf" ? 1 : 0;
    const value = cell => cell.dataset.v ?? (words ? cell.textContent : "");
    const rows = [...body.rows].map(row => [value(row.cells[i]), row]);
    rows.sort(([a], [b]) => rank(a) - rank(b) ||
      (rank(a) ? 0 : way * (words ? a.localeCompare(b, "en", {numeric: true}) : a - b)));
    body.append(...rows.map(([, row]) => row));
    heads.forEach(head => head.setAttribute("aria-sort", "none"));
    heads[i].setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  };
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.onclick = () => sort(i, head.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    head.append(button);
    head.setAttribute("aria-sort", "none");
  });
  input.oninput = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      shown += !row.hidden;
    }
    count.value = words.length ? `${shown} of ${body.rows.length} rows` : "";
  };
  box.hidden = false;
}
