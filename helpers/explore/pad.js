// A square to draw a digit on.  After each stroke, and a few times while it goes on, its pixels go to Python.
function render({ model, el }) {
  const n = model.get("side"), shown = 280;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Pad: draw a digit here with mouse, finger or pen; Delete clears it");
  canvas.style.cssText =
    `width: ${shown}px; height: ${shown}px; max-width: 100%; background: black; cursor: crosshair; touch-action: none; border-radius: 4px`;
  el.append(canvas);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.lineWidth = n * 0.085;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "white";

  const before = model.get("pixels"); // what was drawn before the page was left
  if (before?.byteLength === n * n) {
    const image = pen.createImageData(n, n);
    for (let i = 0; i < n * n; i++) image.data.set([255, 255, 255, before.getUint8(i)], 4 * i);
    pen.putImageData(image, 0, 0);
  }

  let last = null, sent = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * n, ((event.clientY - box.top) / box.height) * n];
  };
  const send = () => {
    const rgba = pen.getImageData(0, 0, n, n).data, grey = new Uint8Array(n * n);
    for (let i = 0; i < grey.length; i++) grey[i] = Math.round((rgba[4 * i] * rgba[4 * i + 3]) / 255);
    model.set("pixels", new DataView(grey.buffer));
    model.save_changes();
    sent = Date.now();
  };
  const line = (from, to) => {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  };
  const clear = () => {
    pen.clearRect(0, 0, n, n);
    last = null;
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
    event.preventDefault();
    canvas.focus();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const moved of event.getCoalescedEvents?.() ?? [event]) {
      const here = place(moved);
      line(last, here);
      last = here;
    }
    if (Date.now() - sent > 300) send();
  });
  const end = () => {
    if (last) send();
    last = null;
  };
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, end);
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    clear();
    send();
    event.stopPropagation();
    event.preventDefault();
  });
  const cleared = () => {
    clear();
    send();
  };
  model.on("change:cleared", cleared);
  return () => model.off("change:cleared", cleared);
}
export default { render };
