// The map from addresses back to the lines of a guest's source, where the guest was assembled here.

export interface SourceInstruction {
  readonly address: bigint;
  readonly length: number;
  /** From 1. */
  readonly line: number;
}

/** What the assembler's result gives. */
interface SourceLineLike {
  readonly line: number;
  readonly address: bigint;
  readonly length: number;
  readonly kind: string;
}

export class SourceMap {
  /** By address. */
  readonly instructions: readonly SourceInstruction[];
  readonly #byAddress: ReadonlyMap<bigint, SourceInstruction>;

  constructor(lines: readonly SourceLineLike[]) {
    this.instructions = lines
      .filter(line => line.kind === 'instruction')
      .map(({address, length, line}) => ({address, length, line}))
      .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    this.#byAddress = new Map(this.instructions.map(instruction => [instruction.address, instruction]));
  }

  at(address: bigint): SourceInstruction | undefined {
    return this.#byAddress.get(address);
  }
  /** Starts of up to `count` instructions before an address, without a gap in between; nearest last. */
  before(address: bigint, count: number): readonly bigint[] {
    const end = this.instructions.findIndex(instruction => instruction.address >= address);
    const starts: bigint[] = [];
    let expected = address;
    for (let i = (end < 0 ? this.instructions.length : end) - 1; i >= 0 && starts.length < count; i--) {
      const instruction = this.instructions[i];
      if (instruction === undefined || instruction.address + BigInt(instruction.length) !== expected) break;
      starts.unshift(instruction.address);
      expected = instruction.address;
    }
    return starts;
  }
}
