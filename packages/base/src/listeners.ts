// Who wants to hear events: functions, or objects with a handleEvent, as the DOM has it ("EventListener"). For endpoints of message
// channels that are not the browser's own.

export type Listener<E> = ((event: E) => void) | {handleEvent(event: E): void};

export class Listeners<E> {
  readonly #listeners = new Set<Listener<E>>();

  add(listener: Listener<E>): void {
    this.#listeners.add(listener);
  }
  remove(listener: Listener<E>): void {
    this.#listeners.delete(listener);
  }
  /** Each hears it once, in the order in which they came. */
  tell(event: E): void {
    for (const listener of this.#listeners) {
      if (typeof listener === 'function') listener(event);
      else listener.handleEvent(event);
    }
  }
}
