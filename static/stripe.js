// Stripe's fields in our form, and the question of a bank. Stripe's own script comes from Stripe, on pages that pay only.
(() => {
  const find = (id) => document.getElementById(id);
  const say = (box, text) => ((find(box.id + "-said") ?? {}).textContent = text); // it may be gone meanwhile
  const forms = new WeakMap(); // the fields that stand in a box

  const load = (src) =>
    new Promise((loaded, failed) => {
      if (window.Stripe) return loaded();
      const script = document.createElement("script");
      Object.assign(script, { src, onload: loaded, onerror: failed });
      document.head.append(script);
    });

  const open = async (box) => {
    await load(box.dataset.script);
    return Stripe(box.dataset.key, { locale: document.documentElement.lang });
  };

  const show = async (box) => {
    const { method, amount, currency } = box.dataset;
    const stripe = await open(box);
    const elements = stripe.elements({
      mode: "payment",
      amount: Number(amount),
      currency,
      paymentMethodTypes: [method],
      appearance: { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe" },
    });
    const fields = elements.create("payment", { wallets: { applePay: "never", googlePay: "never", link: "never" } });
    fields.on("loaderror", () => say(box, box.dataset.unheard));
    find(box.id + "-fields").replaceChildren();
    fields.mount("#" + box.id + "-fields");
    forms.set(box, { stripe, elements });
  };

  // A token stands for what was typed, once. Throws what Stripe says about it, in the payer's language.
  const token = async (box, saves) => {
    const { stripe, elements } = forms.get(box) ?? {};
    if (!stripe) throw { message: box.dataset.unheard };
    elements.update({ setupFutureUsage: saves ? "off_session" : null });
    const checked = await elements.submit();
    if (checked.error) throw checked.error;
    // Without a return_url: none of our methods leaves this page, and its address is a key.
    const made = await stripe.createConfirmationToken({ elements });
    if (made.error) throw made.error;
    return made.confirmationToken.id;
  };

  const pay = async (box, form, button) => {
    form.ariaBusy = true;
    say(box, "");
    try {
      form.elements.confirmation_token.value = await token(box, saves(form));
      form.requestSubmit(button);
    } catch (error) {
      say(box, error.message || box.dataset.unheard);
    } finally {
      form.ariaBusy = null;
    }
  };

  // A box to tick, or a hidden field where keeping the method is required.
  const saves = (form) => {
    const field = form.elements.save;
    return Boolean(field) && (field.type !== "checkbox" || field.checked);
  };

  const act = async (box) => {
    const stripe = await open(box);
    const { error } = await stripe.handleNextAction({ clientSecret: box.dataset.secret });
    // How it ended stands on the payment's page. Whoever could not even be asked stays here: that page would ask again.
    const open_still = error && (error.payment_intent?.status ?? "requires_action") === "requires_action";
    if (open_still) say(box, error.message || box.dataset.unheard);
    else location.replace(box.dataset.next);
  };

  const begin = () => {
    const [form, action] = [find("pf-checkout-stripe"), find("pf-action-stripe")];
    for (const [box, then] of [[form, show], [action, act]]) {
      if (!box || box.dataset.begun) continue;
      box.dataset.begun = "yes";
      then(box).catch(() => say(box, box.dataset.unheard));
    }
  };

  const empty = () => document.getElementsByName("confirmation_token").forEach((field) => (field.value = ""));

  // Before anybody else hears of it: what has no token yet is not sent.
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const box = form.querySelector("#pf-checkout-stripe");
      if (!box || form.elements.confirmation_token.value || event.submitter?.formNoValidate) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!form.ariaBusy) pay(box, form, event.submitter);
    },
    true,
  );
  document.addEventListener("htmx:after:swap", begin);
  document.addEventListener("htmx:finally:request", empty); // a token that was sent is worth nothing
  addEventListener("pageshow", empty); // also when somebody comes back to the form
  begin();
})();
