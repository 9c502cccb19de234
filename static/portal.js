// What htmx leaves unsaid: no answer came, what is waited for, what is new, what was open, a session has ended.
(() => {
  const on = (name, then) => document.addEventListener(name, then);
  const find = (id) => document.getElementById(id);
  const tell = (id) => {
    find("pf-notice").replaceChildren(...(id ? [find(id).content.cloneNode(true)] : []));
    htmx.process(find("pf-notice"));
  };
  on("htmx:before:request", (e) => {
    tell();
    const list = document.activeElement?.matches("select") && document.activeElement.id;
    asked = list && list === pressed ? list : ""; // by keys, and of which list: her focus may go on before the answer
    (e.detail.ctx.target ?? {}).ariaBusy = true;
  });
  on("htmx:finally:request", () => document.querySelectorAll("[aria-busy]").forEach((e) => (e.ariaBusy = null)));
  on("htmx:error", (e) => e.detail.ctx && tell("pf-unheard"));
  let open = [];
  on("htmx:before:swap", () => (open = [...document.querySelectorAll("details[id][open]")]));
  on("htmx:after:swap", (e) => {
    const { target } = e.detail.ctx; // an element, or `#its-id` where the answer was aimed elsewhere
    find("pf-said").textContent = find(target?.id ?? target?.slice(1))?.dataset.said ?? "";
    open.forEach((one) => find(one.id) && (find(one.id).open = true));
  });
  // Arrow keys pass many choices of a list on the way to one: that is one step back, not many.
  let pressed, asked, stepped;
  on("pointerdown", () => (pressed = stepped = ""));
  on("focusin", (e) => e.target.id === stepped || (stepped = ""));
  on("keydown", (e) => {
    pressed = e.target.id;
    e.key === "Escape" && tell();
  });
  on("htmx:before:history:update", (e) => {
    if (asked && asked === stepped) e.detail.history.type = "replace";
    stepped = asked;
  });
  const ends = document.querySelector("[data-ends-in]")?.dataset.endsIn; // seconds
  if (ends) setTimeout(tell, 1000 * ends, "pf-ended");
})();
