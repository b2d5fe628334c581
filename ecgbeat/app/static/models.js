// The models that can be chosen, with the titles of their cards.

import { byId } from "./dom.js";

/** Give the options of the form the titles of the models. */
export async function showModels() {
  try {
    const cards = await (await fetch("/api/models")).json();
    for (const option of byId("model").options) {
      const card = cards.find(({ name }) => name === option.value);
      if (card?.title) option.textContent = `${card.name}: ${card.title}`;
    }
  } catch {
    // the names alone can be chosen as well
  }
}
