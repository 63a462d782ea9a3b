// A user of the control program: a virtual machine with a name, a card reader and a card punch. It shares the processor with the
// others, and nothing else: its memory, its devices and its page tables are its own.

import type {Bank, Machine} from '@hyperscope/machine';
import type {RunObservation} from '../run-observer.js';
import type {PortOptions, RunOutcome, TechniqueOptions} from '../technique.js';
import {deliverable, virtualIf} from '../trap-and-emulate/return-routines.js';
import {VirtualPc} from '../trap-and-emulate/virtual-pc.js';
import type {Vmm} from '../trap-and-emulate/vmm.js';
import {CardPunch, CardReader, READER_IRQ} from './card-devices.js';
import type {PlacedImage} from './cp-layout.js';
import type {Spool} from './spool.js';
import {WritableVmBlock} from './vm-block.js';

export interface VirtualUserOptions {
  readonly machine: Machine;
  readonly observation: RunObservation;
  readonly index: number;
  readonly name: string;
  readonly placed: PlacedImage;
  readonly ports: PortOptions;
  readonly rings: TechniqueOptions['rings'];
  readonly spool: Spool;
  /** Hard disks of its own. */
  readonly disks?: readonly Uint8Array[] | undefined;
  /** Whether it has the processor. */
  readonly hasProcessor: () => boolean;
}

export class VirtualUser {
  readonly index: number;
  readonly name: string;
  readonly pc: VirtualPc;
  readonly block: WritableVmBlock;
  readonly reader: CardReader;

  constructor(options: VirtualUserOptions) {
    const {machine, observation, index, name, placed, ports, rings, spool, disks} = options;
    this.index = index;
    this.name = name;
    this.block = new WritableVmBlock(machine.memory, index);
    this.pc = new VirtualPc({
      machine,
      observation,
      ...placed,
      ports,
      rings,
      disks,
      timeStamp: () => this.timeStamp(options),
    });
    this.block.setName(name);
    const {board, chipset} = this.pc;
    const source = {
      get hasDeck() {
        return spool.firstIn(index) !== undefined;
      },
      readCard: () => spool.readCard(index),
    };
    this.reader = new CardReader(source, chipset.interruptLine(READER_IRQ));
    board.ports.attach(this.reader);
    board.ports.attach(new CardPunch(card => spool.punch(index, card)));
  }

  get vmm(): Vmm {
    return this.pc.vmm;
  }
  /** Its time-stamp counter: in the processor, or by how much it differs from the machine's time. */
  timeStamp({machine, hasProcessor}: Pick<VirtualUserOptions, 'hasProcessor' | 'machine'>): bigint {
    if (hasProcessor()) return machine.registers.get('TSC');
    return BigInt.asUintN(64, BigInt(machine.cycles) + this.block.timeOffset);
  }
  /** How its run ended; undefined while it has not. */
  get outcome(): RunOutcome | undefined {
    return this.vmm.outcome;
  }

  /** What a bank of one of its devices is called in a record: all virtual machines have the same devices. */
  bankName(bank: string): string {
    return `${this.name} ${bank}`;
  }
  get banks(): readonly Bank[] {
    return this.pc.banks.map(({name, bytes}) => ({name: this.bankName(name), bytes}));
  }

  /** Whether an interrupt is there that its virtual IF lets through. */
  get canWake(): boolean {
    const {vcpu, chipset} = this.pc;
    if (chipset.requested === undefined && vcpu.slot('nmi_pending') === 0) return false;
    return deliverable(this.vmm) !== undefined;
  }
  /** The cycle at which a device of its own could wake it; Infinity where none will. */
  get wakesAt(): number {
    return virtualIf(this.vmm) ? this.pc.chipset.clock.nextWake : Infinity;
  }

  /** Puts text on its console: the line of its first serial port. */
  print(text: string): void {
    for (const byte of new TextEncoder().encode(text)) this.pc.board.uart.putOnLine(byte);
  }
}
