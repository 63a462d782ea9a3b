// What compiled microcode is made of: closures over the words of the frame, a few for each instruction. They are ordinary
// functions, so the tier works where a page's policy forbids making code from text.

import type {DataPath} from './data-path.js';

/**
 * One piece of an instruction. It gives NEXT, or what ends the instruction: DONE (complete early), REPEAT (an iteration
 * is done) or REFUSED (not trivially fine: nothing has been committed, so the reference tier shall run all of it).
 */
export type Act = () => number;
export const NEXT = 0,
  DONE = 1,
  REPEAT = 2,
  REFUSED = 3;

/** What acts work on. */
export interface ActContext {
  readonly words: Int32Array;
  readonly data: DataPath;
  /** Bits of RFLAGS that this processor does not have. */
  readonly absentFlags: number;
}

/** One act that does what several do, in their order. */
export function sequence(acts: readonly Act[]): Act {
  const [a, b, c, d] = acts;
  if (a === undefined) return () => NEXT;
  if (b === undefined) return a;
  if (c === undefined) return pair(a, b);
  if (d === undefined) return triple(a, b, c);
  if (acts.length === 4) return four(a, b, c, d);
  return many(acts);
}

const pair = (a: Act, b: Act): Act => {
  return () => {
    const end = a();
    return end === NEXT ? b() : end;
  };
};
const triple = (a: Act, b: Act, c: Act): Act => {
  return () => {
    let end = a();
    if (end !== NEXT) return end;
    end = b();
    return end === NEXT ? c() : end;
  };
};
const four = (a: Act, b: Act, c: Act, d: Act): Act => {
  return () => {
    let end = a();
    if (end !== NEXT) return end;
    end = b();
    if (end !== NEXT) return end;
    end = c();
    return end === NEXT ? d() : end;
  };
};
const many = (acts: readonly Act[]): Act => {
  return () => {
    for (let i = 0; i < acts.length; i++) {
      const act = acts[i];
      if (act === undefined) break;
      const end = act();
      if (end !== NEXT) return end;
    }
    return NEXT;
  };
};
