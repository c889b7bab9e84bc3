/* The slice viewer: layers of one slice on a canvas, what the run says about it beside.
   Pictures and facts come from viewer/case-N.js (paperlib/publish/book/slice_viewer.py): a page opened
   from file:// may load scripts, but not data. Nothing is computed here that a result depends on. */
(() => {
  "use strict";
  const SCALE = 4;   // canvas pixels for a pixel of the slice, so that outlines can be thin
  const LINE = 2;    // of them for an outline
  const home = new URL("viewer/", document.currentScript.src);
  const root = document.querySelector(".slice-viewer");
  const find = (selector) => root.querySelector(selector);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const chosen = find("#viewer-case"), slider = find("#viewer-z");
  const score = find("#viewer-score"), rule = find("#viewer-rule");
  const canvas = find(".viewer-canvas"), pen = canvas.getContext("2d");
  const strip = find(".viewer-strip"), small = document.createElement("canvas");
  const loading = new Map();   // file: promise of its content with decoded pictures
  let shown = null;

  window.sliceViewer = { add: (file, content) => { loading.get(file).content = content; } };

  function load(file) {
    if (!loading.has(file)) {
      const script = document.createElement("script");
      const entry = { content: null };
      entry.ready = new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = () => reject(new Error(
          `${file} is missing: copy the whole folder of the book, not the page alone.`));
      }).then(async () => {
        entry.pictures = {};
        for (const [name, url] of Object.entries(entry.content.layers)) {
          const picture = new Image();
          picture.src = url;
          await picture.decode();
          entry.pictures[name] = picture;
        }
        return entry;
      });
      loading.set(file, entry);
      script.src = new URL(file, home);
      document.head.append(script);
    }
    return loading.get(file).ready;
  }

  async function show() {
    const file = chosen.value;
    root.setAttribute("aria-busy", "true");
    try {
      const entry = await load(file);
      if (file !== chosen.value) return;   // another patient was chosen meanwhile
      const { slices, first, size } = entry.content;
      const z = slider.value;
      slider.min = slices[0].z;
      slider.max = slices.at(-1).z;
      slider.value = shown ? z : first;
      shown = entry;
      canvas.width = canvas.height = SCALE * size;
      small.width = small.height = size;
      strip.width = slices.length;
      update();
    } catch (error) {
      find(".viewer-said").textContent = error.message;
    }
    root.removeAttribute("aria-busy");
  }

  function place() {
    return Number(slider.value) - shown.content.slices[0].z;
  }

  function draw() {
    const { columns, size } = shown.content;
    const left = size * (place() % columns), top = size * Math.floor(place() / columns);
    pen.globalAlpha = 1;
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingEnabled = false;
    for (const box of all("input[type=checkbox]").reverse()) {   // listed from top to bottom
      if (!box.checked) continue;
      const picture = shown.pictures[box.name];
      pen.globalAlpha = find(`[data-opacity=${box.name}]`).value / 100;
      if (box.name === "truth") outline(picture, left, top, size);
      else pen.drawImage(picture, left, top, size, size, 0, 0, canvas.width, canvas.height);
    }
  }

  /* Draw the inner border of each tissue in its colour. */
  function outline(picture, left, top, size) {
    const hand = small.getContext("2d", { willReadFrequently: true });
    hand.clearRect(0, 0, size, size);
    hand.drawImage(picture, left, top, size, size, 0, 0, size, size);
    const bytes = hand.getImageData(0, 0, size, size).data;
    const colours = new Uint32Array(bytes.buffer);
    const at = (x, y) => (x < 0 || y < 0 || x >= size || y >= size ? 0 : colours[y * size + x]);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const colour = at(x, y);
        if (!colour) continue;
        const byte = 4 * (y * size + x), px = SCALE * x, py = SCALE * y, end = SCALE - LINE;
        pen.fillStyle = `rgb(${bytes[byte]} ${bytes[byte + 1]} ${bytes[byte + 2]})`;
        if (at(x - 1, y) !== colour) pen.fillRect(px, py, LINE, SCALE);
        if (at(x + 1, y) !== colour) pen.fillRect(px + end, py, LINE, SCALE);
        if (at(x, y - 1) !== colour) pen.fillRect(px, py, SCALE, LINE);
        if (at(x, y + 1) !== colour) pen.fillRect(px, py + end, SCALE, LINE);
      }
    }
  }

  /* Above: slices with tumour. Below: slices that the gate lets through, or nobody examined. */
  function drawStrip() {
    const hand = strip.getContext("2d");
    hand.clearRect(0, 0, strip.width, strip.height);
    shown.content.slices.forEach((slice, x) => {
      const mark = (colour, y, height) => { hand.fillStyle = colour; hand.fillRect(x, y, 1, height); };
      if (!slice.examined) return mark("#808080", 0, 2);
      if (slice.regions.WT.truth) mark(root.dataset.tumour, 0, 1);
      if (slice.gates[score.value][rule.value][1]) mark(root.dataset.open, 1, 1);
    });
  }

  function words(select) {
    return select.selectedOptions[0].textContent;
  }

  function tell() {
    const slice = shown.content.slices[place()];
    const where = `${slice.z}, ${slice.examined ? "examined" : "not examined"}`;
    find(".viewer-where").textContent = where;
    slider.setAttribute("aria-valuetext", where);
    let said = `Slice ${slice.z} was not examined: only ${slice.brain} pixels of brain. It has no `
      + "score and no prediction, which does not mean that there is no tumour.";
    let open = false;
    if (slice.examined) {
      const [threshold, above] = slice.gates[score.value][rule.value];
      const value = slice.scores[score.value];
      open = above;
      said = `${words(score)} ${value.toFixed(3)}, threshold ${threshold.toFixed(3)} (${words(rule)}): `
        + (above ? "above it, so the gate lets the slice through and its prediction stays."
          : "not above it, so the gate calls the slice healthy and drops its prediction.");
    }
    find(".viewer-said").textContent = said[0].toUpperCase() + said.slice(1);
    const dice = (value) => (value === null ? "–" : value.toFixed(2));
    for (const row of all("[data-region]")) {
      const region = slice.examined && slice.regions[row.dataset.region];
      const cells = region ? [region.truth, region.predicted, dice(region.dice),
        dice(open ? region.dice : region.emptied)] : ["", "", "", ""];
      [...row.querySelectorAll("td")].forEach((cell, k) => { cell.textContent = cells[k]; });
    }
  }

  function update() {
    draw();
    drawStrip();
    tell();
  }

  chosen.addEventListener("change", show);
  root.addEventListener("input", (event) => { if (shown && event.target !== chosen) update(); });
  for (const button of all("[data-step]")) {
    button.addEventListener("click", () => {
      slider.value = Number(slider.value) + Number(button.dataset.step);
      if (shown) update();
    });
  }
  root.hidden = false;
  show();
})();
