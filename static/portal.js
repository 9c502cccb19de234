// What htmx leaves unsaid: no answer came, what is waited for, what is new, a session has ended.
(() => {
  const on = (name, then) => document.addEventListener(name, then);
  const find = (id) => document.getElementById(id);
  const tell = (id) => {
    find("pf-notice").replaceChildren(...(id ? [find(id).content.cloneNode(true)] : []));
    htmx.process(find("pf-notice"));
  };
  on("htmx:before:request", (e) => {
    tell();
    (e.detail.ctx.target ?? {}).ariaBusy = true;
  });
  on("htmx:finally:request", () => document.querySelectorAll("[aria-busy]").forEach((e) => (e.ariaBusy = null)));
  on("htmx:error", (e) => e.detail.ctx && tell("pf-unheard"));
  on("htmx:after:swap", (e) => (find("pf-said").textContent = find(e.detail.ctx.target?.id)?.dataset.said ?? ""));
  on("keydown", (e) => e.key === "Escape" && tell());
  const ends = document.querySelector("[data-ends-in]")?.dataset.endsIn; // seconds
  if (ends) setTimeout(tell, 1000 * ends, "pf-ended");
})();
