// A guest program that ships: commented assembly, where it starts, what it teaches and what it must print.

import type {ProgramName} from './program-loading.generated.js';

/** A guest in a virtual machine of its own, beside another one's under a control program. */
export interface CompanionGuest {
  /** What its virtual machine is called: up to eight capital letters and digits. */
  readonly user: string;
  /** Id of the guest. */
  readonly guest: string;
}

/** A guest that is not for every technique. */
export type GuestNeeds =
  /** It is a hypervisor itself: bare metal only, on a processor of this profile unless another is chosen. */
  | {readonly technique: 'bare'; readonly processor: string}
  /** Its kernel is ported to the hypercalls of this technique, and has no machine to run on without. */
  | {readonly technique: 'paravirtual'; readonly portOf: string | undefined};

/** All of a guest but its text. */
export interface GuestOutline {
  readonly id: string;
  readonly title: string;
  /** One sentence for a chooser. */
  readonly teaches: string;
  /** The files of `programs/` that are its source, one behind the other; a card has none, its text is made from the card. */
  readonly programs: readonly ProgramName[];
  /** Guest-physical address of the first byte, which is also where it starts. */
  readonly loadAddress: number;
  /** The state the loader hands over: real mode; 32-bit flat; 64-bit with identity page tables; or what Xen's domain builder makes. */
  readonly mode: 'real' | 'protected' | 'long' | 'xen';
  readonly memoryMiB: number;
  /** The guest uses interrupts: on real KVM, the kernel must have the interrupt controllers and the timer. */
  readonly irqchip?: 'kernel';
  /** Where it runs, if not on every technique that has a PC for it. */
  readonly needs?: GuestNeeds;
  /**
   * The guest asks what its machine has, and does more on one that has more: two machines need not do the same, and to compare
   * them step by step tells nothing.
   */
  readonly adapts?: 'to its machine';
  /** Where a chooser keeps it apart from the others; undefined: among those that a newcomer meets first. */
  readonly group?: 'Stealth cards' | 'Control program';
  /** Under a control program: its virtual machine's name, the guests beside it, and what each console must show. */
  readonly controlProgram?: {
    readonly user: string;
    readonly beside: readonly CompanionGuest[];
    readonly expectedConsoles: Readonly<Record<string, string>>;
  };
  /** What must appear on the serial port, on every technique. */
  readonly expectedSerial: string;
}

export interface Guest extends GuestOutline {
  /** NASM source: the teaching text. */
  readonly source: string;
}

/** Bytes of a program and the line that made them. */
export interface AssembledLine {
  /** From 1. */
  readonly line: number;
  readonly address: bigint;
  readonly length: number;
  readonly kind: 'instruction' | 'data' | 'reserved' | 'padding';
}

/** A guest as bytes, with the map back to its source. */
export interface GuestAssembly {
  readonly bytes: Uint8Array;
  /** Of its instructions at the least, by address. */
  readonly lines: readonly AssembledLine[];
}
