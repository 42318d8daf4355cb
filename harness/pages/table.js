// Sorts the table by a column when its header is pressed, and shows the rows that have all words of the filter.
// A cell's `data-v` is its number; without one it is sorted as text. What is never reached, or not there, is last.
"use strict";
{
  const body = document.querySelector("table.cells tbody"), heads = [...document.querySelectorAll("table.cells thead th")];
  const box = document.querySelector(".filter"), input = box.querySelector("input"), count = box.querySelector("output");
  const value = (row, i) => row.cells[i].dataset.v ?? (heads[i].classList.contains("word") ? row.cells[i].textContent : "");
  const sort = (i, way) => {
    const words = heads[i].classList.contains("word");
    const rank = v => v === "" ? 2 : !words && v === "inf" ? 1 : 0;
    const rows = [...body.rows].map(row => [value(row, i), row]);
    rows.sort(([a], [b]) => rank(a) - rank(b) ||
      (rank(a) ? 0 : way * (words ? a.localeCompare(b, "en", {numeric: true}) : a - b)));
    body.append(...rows.map(([, row]) => row));
    heads.forEach((head, k) => head.setAttribute("aria-sort", k !== i ? "none" : way > 0 ? "ascending" : "descending"));
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
