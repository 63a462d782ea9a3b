// Random kernels: programs in assembly with everything that a translator of kernel code can get wrong. Nests of CALL and RET, jumps through
// registers and memory, jumps into the middle of blocks and of instructions, code that writes over itself, page tables that change
// under it, flags and interrupt flags on the stack, excursions to ring 3; with handlers for page faults and interrupts, which may come
// at any moment. A program touches nothing that an interrupt changes, so it ends the same with and without.
//
//   8000 code   9000 counters of the handlers   9100 data   b000 page table of 400000 … 40ffff   c000 page directory (32-bit mode)
//   d000 … 10fff frames behind that page table   1f000 stack of ring 3   7800 stack of ring 0

import {Random} from './random.js';

export const KERNEL_MODES = ['protected', 'long'] as const;
export type KernelMode = (typeof KERNEL_MODES)[number];

const PAGES = 8;
const WINDOW = 0x40_0000;
const PAGE_TABLE = 0xb000;
const FUNCTIONS = 6;
const USER_PARTS = 3;
const ITEMS = 26;

export const KERNEL_LAYOUT = {
  counters: 0x9000,
  pageTable: PAGE_TABLE,
  directory: 0xc000,
  frames: 0xd000,
  pages: PAGES,
  window: WINDOW,
  kernelStack: 0x7800,
  /** Where each handler's way in lies. */
  entries: {pageFault: 0x8010, nmi: 0x8020, interrupt: 0x8030, breakpoint: 0x8040},
  end: 0x2_0000,
} as const;

/** Registers that programs compute with; the stack pointer and one counter are kept out of it. */
const LETTERS = ['a', 'b', 'c', 'd'] as const;

class KernelWriter {
  readonly #random: Random;
  readonly #isLong: boolean;
  readonly #lines: string[] = [];
  #labels = 0;
  /** Nothing that changes rings or the stack's order within. */
  #place: 'kernel' | 'function' | 'user' = 'kernel';

  constructor(seed: number, number: number, mode: KernelMode) {
    this.#random = new Random(seed, number);
    this.#isLong = mode === 'long';
  }

  /** A register of the machine's word: rax or eax. */
  #full(letter: string): string {
    return (this.#isLong ? 'r' : 'e') + (letter.length === 1 ? `${letter}x` : letter);
  }
  #any(): string {
    return this.#random.pick(LETTERS);
  }
  get #word(): string {
    return this.#isLong ? 'qword' : 'dword';
  }
  get #slot(): number {
    return this.#isLong ? 8 : 4;
  }
  get #suffix(): string {
    return this.#isLong ? 'q' : 'd';
  }
  #say(...lines: readonly string[]): void {
    this.#lines.push(...lines);
  }
  #label(): string {
    return `l${this.#labels++}`;
  }

  write(): string {
    this.#say(`bits ${this.#isLong ? 64 : 32}`, 'org 0x8000');
    for (const entry of ['start', 'page_fault', 'nmi', 'interrupt', 'breakpoint'])
      this.#say(`jmp near ${entry}`, 'times 11 nop');
    this.#handlers();
    this.#say('start:');
    this.#setUp();
    for (let item = 0; item < ITEMS; item++) this.#item();
    this.#say('cli', 'hlt');
    for (let index = 0; index < FUNCTIONS; index++) this.#function(index);
    for (let index = 0; index < USER_PARTS; index++) this.#userPart(index);
    this.#say('resume: dq 0');
    for (let index = 0; index < FUNCTIONS; index++) this.#say(`pointer${index}: dq f${index}`);
    return `${this.#lines.join('\n')}\n`;
  }

  #handlers(): void {
    const [a, sp, iret] = [this.#full('a'), this.#full('sp'), `iret${this.#suffix}`];
    this.#say('page_fault:', `push ${a}`, 'inc dword [ss:0x9000]', `mov ${a}, cr2`, `sub ${a}, ${WINDOW}`);
    this.#say(`shr ${a}, 12`, `cmp ${a}, ${PAGES}`, 'jae beyond', `or byte [ss:${a}*${this.#slot} + ${PAGE_TABLE}], 7`);
    this.#say(`pop ${a}`, `lea ${sp}, [${sp} + ${this.#slot}]`, iret, 'beyond:', 'hlt');
    this.#say('nmi:', 'inc dword [ss:0x9004]', iret);
    this.#say('interrupt:', `push ${a}`, 'in al, 0x60', 'inc dword [ss:0x9008]', 'mov al, 0x20', 'out 0x20, al');
    this.#say(`pop ${a}`, iret);
    this.#say('breakpoint:', `lea ${sp}, [${sp} + ${5 * this.#slot}]`, 'push 0x18', `pop ${a}`);
    this.#say('mov ds, ax', 'mov es, ax', 'jmp [resume]');
  }

  #setUp(): void {
    const pic = [
      [0x20, 0x11],
      [0x21, 0x18],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0xfd],
    ];
    for (const [port, value] of pic) this.#say(`mov al, ${value}`, `out ${port}, al`);
    if (!this.#isLong) {
      this.#say('mov eax, cr4', 'or eax, 0x10', 'mov cr4, eax', 'mov eax, 0xc000', 'mov cr3, eax');
      this.#say('mov eax, cr0', 'or eax, 0x80010000', 'mov cr0, eax');
    } else this.#say('mov rax, cr0', 'or eax, 0x10000', 'mov cr0, rax');
    for (const letter of LETTERS) this.#say(`mov ${this.#full(letter)}, ${this.#random.below(0x7fff_ffff)}`);
  }

  #function(index: number): void {
    this.#place = 'function';
    this.#say(`f${index}:`, `add eax, strict dword ${this.#random.below(0x7fff_ffff)}`);
    for (let item = 0; item < 2 + this.#random.below(3); item++) this.#plain();
    if (index + 1 < FUNCTIONS && this.#random.chance(60))
      this.#call(index + 1 + this.#random.below(FUNCTIONS - index - 1));
    this.#plain();
    this.#say('ret');
    this.#place = 'kernel';
  }

  #userPart(index: number): void {
    this.#place = 'user';
    const a = this.#full('a');
    this.#say(`u${index}:`, `push ${a}`, 'mov ax, 0x2b', 'mov ds, ax', 'mov es, ax', `pop ${a}`);
    for (let item = 0; item < 4; item++) this.#plain();
    if (this.#random.chance(50)) this.#pages();
    this.#say('int3');
    this.#place = 'kernel';
  }

  // ── what a program is made of ───────────────────────────────────────────────────────────────────────────────────
  #item(): void {
    const r = this.#random;
    switch (r.below(12)) {
      case 0:
        return this.#call(r.below(FUNCTIONS));
      case 1:
        return this.#jumpOn();
      case 2:
        return this.#intoTheMiddle();
      case 3:
        return this.#overwrite();
      case 4:
        return this.#pages();
      case 5:
        return this.#flags();
      case 6:
        return this.#userCall();
      case 7:
        return this.#loop();
      case 8:
        return this.#system();
      case 9:
        return this.#say(r.chance(50) ? 'sti' : 'cli');
      default:
        for (let count = 0; count < 3; count++) this.#plain();
        return undefined;
    }
  }

  #plain(): void {
    const r = this.#random;
    const [one, two] = [this.#full(this.#any()), this.#full(this.#any())];
    const data = `[${0x9100 + 8 * r.below(32)}]`;
    const choices = [
      [`add ${one}, ${two}`],
      [`sub ${one}, ${r.below(0x7fff_ffff)}`],
      [`adc ${one}, ${two}`],
      [`xor ${one}, ${two}`],
      [`imul ${one}, ${two}`],
      [`rol ${one}, ${1 + r.below(31)}`],
      [`mov ${data}, ${one}`],
      [`add ${one}, ${data}`],
      [`xchg ${one}, ${data}`],
      [`lock add ${data}, ${one}`],
      [`push ${one}`, `pop ${two}`],
      [`setc ${this.#any()}l`],
      [`cmp ${one}, ${two}`, `cmovl ${one}, ${two}`],
      [`push ${one}`, `pushf${this.#suffix}`, `pop ${two}`, `and ${two}, 0x8d5`, `pop ${one}`],
      [`not ${one}`],
    ] as const;
    const picked = choices[r.below(choices.length)] ?? [];
    this.#say(...picked);
  }

  #call(index: number): void {
    const target = this.#full(this.#any());
    const how = this.#random.below(3);
    if (how === 0) this.#say(`call f${index}`);
    else if (how === 1) this.#say(`mov ${target}, f${index}`, `call ${target}`);
    else this.#say(`call ${this.#word} [pointer${index}]`);
  }

  #jumpOn(): void {
    const [label, register] = [this.#label(), this.#full(this.#any())];
    this.#say(`mov ${register}, ${label}`, `jmp ${register}`, 'hlt', `${label}:`);
  }

  /** Twice through the same code, the second time from its middle; or from the middle of one of its instructions. */
  #intoTheMiddle(): void {
    const [middle, counter] = [this.#label(), 0x9300 + 8 * this.#random.below(16)];
    this.#say(`mov dword [${counter}], ${2 + this.#random.below(5)}`);
    this.#plain();
    // Its immediate is INC EBX, NOP, NOP.
    if (this.#random.chance(50)) this.#say('db 0xb8', `${middle}: db 0xff, 0xc3, 0x90, 0x90`);
    else this.#say(`${middle}:`);
    this.#plain();
    this.#plain();
    this.#say(`dec dword [${counter}]`, `jnz ${middle}`);
  }

  #overwrite(): void {
    const low = `${this.#any()}l`;
    if (this.#random.chance(50)) {
      this.#say(`mov [f${this.#random.below(FUNCTIONS)} + ${1 + this.#random.below(4)}], ${low}`);
      this.#call(this.#random.below(FUNCTIONS));
      return;
    }
    const label = this.#label();
    this.#say(`mov [${label} + 1], ${low}`);
    if (this.#random.chance(50)) this.#plain();
    this.#say(`${label}: mov cl, 5`, 'add ebx, ecx');
  }

  /** Entries change, are flushed, and are used; ring 3 only uses them. */
  #pages(): void {
    const r = this.#random;
    const page = r.below(PAGES);
    const address = WINDOW + 4096 * page + 8 * r.below(8);
    if (this.#place !== 'user') {
      const times = r.chance(30) ? 5 : 1;
      const rights = [5, 6, 7][r.below(3)] ?? 7;
      const entry = 0xd000 + 4096 * r.below(4) + rights;
      const again = this.#label();
      this.#say(`push ${this.#full('c')}`, `mov ecx, ${times}`, `${again}:`);
      this.#say(`mov ${this.#word} [${PAGE_TABLE + this.#slot * page}], ${entry}`, 'dec ecx', `jnz ${again}`);
      this.#say(`pop ${this.#full('c')}`, `invlpg [${address}]`);
    }
    this.#say(
      r.chance(50) ? `add ${this.#full(this.#any())}, [${address}]` : `mov [${address}], ${this.#full(this.#any())}`,
    );
  }

  /** Flags on the way through the stack: status flags, DF, IF, now and then IOPL. */
  #flags(): void {
    const a = this.#full('a');
    const [push, pop] = [`pushf${this.#suffix}`, `popf${this.#suffix}`];
    const bits = this.#random.pick([0x200, 0x1, 0x400, 0x200, 0x8d5, 0x4000, 0x40000, 0x3000]);
    this.#say(push, `pop ${a}`, `xor ${a}, ${bits}`, `push ${a}`, pop);
    // IRET in 32-bit mode does something else with NT, and ring 3 with IOPL.
    if (bits === 0x3000 || bits === 0x4000) this.#say(push, `and ${this.#word} [${this.#full('sp')}], ~${bits}`, pop);
    this.#say('cld');
  }

  #userCall(): void {
    const label = this.#label();
    const flags = this.#random.chance(70) ? '0x202' : '2';
    this.#say(`mov ${this.#word} [resume], ${label}`, 'push 0x2b', 'push 0x1f000', `push ${flags}`);
    this.#say(`push ${this.#isLong ? '0x33' : '0x23'}`, `push u${this.#random.below(USER_PARTS)}`);
    this.#say(`iret${this.#suffix}`, `${label}:`, `mov ${this.#full('a')}, ss`);
  }

  #loop(): void {
    const again = this.#label();
    this.#say(`push ${this.#full('c')}`, `mov ecx, ${2 + this.#random.below(5)}`, `${again}:`);
    this.#say(`add eax, ${this.#random.below(1000)}`, 'xor edx, eax');
    this.#say(`loop ${again}`, `pop ${this.#full('c')}`);
  }

  #system(): void {
    const a = this.#full('a');
    const choices = [
      [`mov ${a}, cr0`],
      [`mov ${a}, cr3`, `mov cr3, ${a}`],
      [`mov ${a}, cr4`],
      ['smsw ax'],
      [`mov ${a}, cs`],
      ['mov eax, ds'],
      ['sgdt [0x9500]', `mov ${a}, [0x9502]`],
      ['str ax'],
      [`push ${this.#isLong ? 'fs' : 'cs'}`, `pop ${a}`],
      ['lar eax, eax'],
      ['mov ecx, 8', 'mov esi, 0x9100', 'mov edi, 0x9400', 'rep movsb'],
      [`mov ${a}, dr7`],
    ] as const;
    this.#say(...(choices[this.#random.below(choices.length)] ?? []));
  }
}

/** The text of program `number` of a seed, for the assembler. */
export function kernelProgram(seed: number, number: number, mode: KernelMode): string {
  return new KernelWriter(seed, number, mode).write();
}
