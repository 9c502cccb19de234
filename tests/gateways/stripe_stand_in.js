// The part of Stripe.js that static/stripe.js calls, for tests: written from Stripe's reference, not from its script.
// Its card field stands in the page itself, where Stripe's own would be a frame of another origin.
window.Stripe = (key) => {
  const origin = new URL(window.Stripe.from).origin;
  const ask = async (path, params) => {
    const answer = await fetch(origin + path, { method: "POST", body: new URLSearchParams({ ...params, key }) });
    return answer.json();
  };
  return {
    elements: (options) => ({
      options,
      update(changed) {
        Object.assign(this.options, changed);
      },
      create(type) {
        const elements = this;
        return {
          on() {},
          mount(selector) {
            const label = document.createElement("label");
            label.textContent = options.paymentMethodTypes[0] === "card" ? "Card number" : "IBAN";
            elements.input = document.createElement("input");
            label.append(elements.input);
            document.querySelector(selector).append(label);
          },
        };
      },
      async submit() {
        return this.input.value ? {} : { error: { type: "validation_error", message: "Your card number is incomplete." } };
      },
    }),
    async createConfirmationToken({ elements }) {
      const typed = elements.input.value.replaceAll(" ", "");
      const kind = elements.options.paymentMethodTypes[0];
      const card = { "card[number]": typed, "card[exp_month]": "4", "card[exp_year]": "2031", "card[cvc]": "123" };
      const made = await ask("/v1/confirmation_tokens", {
        type: kind,
        ...(kind === "card" ? card : { "sepa_debit[iban]": typed }),
      });
      return made.error ? { error: { type: "card_error", message: "Your card number is invalid." } } : { confirmationToken: made };
    },
    async handleNextAction({ clientSecret }) {
      const [id] = clientSecret.split("_secret_");
      const agreed = await asked();
      const payment_intent = await ask(`/v1/payment_intents/${id}/_authenticate`, {
        client_secret: clientSecret,
        success: agreed,
      });
      const failed = { type: "invalid_request_error", code: "payment_intent_authentication_failure", payment_intent };
      return agreed ? { paymentIntent: payment_intent } : { error: failed };
    },
  };

  // What a bank shows: two buttons.
  function asked() {
    const box = document.createElement("dialog");
    document.body.append(box);
    return new Promise((answered) => {
      for (const [words, agreed] of [["Complete authentication", true], ["Fail authentication", false]]) {
        const button = document.createElement("button");
        button.textContent = words;
        button.addEventListener("click", () => (box.remove(), answered(agreed)));
        box.append(button);
      }
      box.showModal();
    });
  }
};
window.Stripe.from = document.currentScript.src;
