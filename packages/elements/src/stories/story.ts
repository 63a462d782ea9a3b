// A story: an element in one state, made from samples. The story page shows them to people, a test to axe.

import type {LitElement} from 'lit';

/** Stories by what they show. */
export type Stories = Readonly<Record<string, () => LitElement>>;

/** An element with its properties. */
export function made<E extends LitElement>(element: E, properties: Partial<E>): E {
  return Object.assign(element, properties);
}
