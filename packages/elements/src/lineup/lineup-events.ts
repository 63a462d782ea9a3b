// What a comparison of machines asks of whoever shows it: plain events, which can be listened for before the elements are there.

/** Asks to move the playhead of all lanes to an instruction of the guest. */
export class ProgressEvent extends CustomEvent<{readonly instruction: number}> {
  constructor(instruction: number) {
    super('hs-progress', {detail: {instruction}, bubbles: true, composed: true});
  }
}

/** A lane was chosen, to read more of it. */
export class LaneEvent extends CustomEvent<{readonly id: string}> {
  constructor(id: string) {
    super('hs-lane', {detail: {id}, bubbles: true, composed: true});
  }
}
