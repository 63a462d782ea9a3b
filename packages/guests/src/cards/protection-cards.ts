// Cards of the "protection system references": they refer to the segments, tables and rings of the protection system.

import type {StealthCard} from './stealth-card.js';

const GROUP = 'protection system references';
const NEVER = 'never exits: the guest is in ring 0, with its own tables';
const AS_IT_IS = 'runs as it is; there is no intercept';
const SHADOW = 'replaced by a routine that looks into the guest’s own table with the virtual CPL';
const ACCESSED =
  'The processor marks a descriptor accessed when it is loaded; the kernel looks at the type in its own table afterwards, and prints it.';
const UNMARKED = 'that it has not loaded the segment: the processor marked the monitor’s copy of the descriptor.';
const READ_TYPE = ['movzx eax, byte [fresh + 5]'];

const card = (
  mnemonic: string,
  encoding: string,
  more: Omit<
    StealthCard,
    'id' | 'mnemonic' | 'encoding' | 'group' | 'binaryTranslation' | 'vtx' | 'svm' | 'umip' | 'preparation'
  > &
    Partial<StealthCard>,
): StealthCard => ({
  id: `card-${mnemonic.split(' ')[0]?.toLowerCase() ?? ''}`,
  mnemonic,
  encoding,
  group: GROUP,
  preparation: [],
  binaryTranslation: SHADOW,
  vtx: NEVER,
  svm: AS_IT_IS,
  umip: 'no difference',
  ...more,
});

export const PROTECTION_CARDS: readonly StealthCard[] = [
  card('LAR', '0F 02 /r', {
    story: 'The kernel asks for the access rights of its own code segment. It prints them; bits 14:13 are the DPL.',
    belief: 'that its code segment has another privilege level, or that it may not be looked at.',
    preparation: ['mov eax, CODE'],
    sequence: ['stealth:', 'lar ebx, eax', 'after:', 'mov eax, ebx'],
    native: 'LAR 00cf9b00\n',
  }),
  card('LSL', '0F 03 /r', {
    story: 'The kernel asks for the limit of its own data segment. It prints it.',
    belief: 'that its segments end where the monitor begins, or that they may not be looked at.',
    preparation: ['mov eax, DATA'],
    sequence: ['stealth:', 'lsl ebx, eax', 'after:', 'mov eax, ebx'],
    native: 'LSL ffffffff\n',
  }),
  card('VERR', '0F 00 /4', {
    story:
      'A caller of ring 3 has named the kernel’s data segment; the kernel asks whether such a caller may read it. It prints 1 for yes.',
    belief: 'in ring 3 that the caller may: the monitor gave the segment DPL 3, so that the kernel itself can use it.',
    preparation: ['mov eax, DATA | 3'],
    sequence: ['stealth:', 'verr ax', 'after:', 'setz al', 'movzx eax, al'],
    native: 'VERR 00000000\n',
  }),
  card('VERW', '0F 00 /5', {
    story:
      'A caller of ring 3 has named the kernel’s data segment; the kernel asks whether such a caller may write it. It prints 1 for yes.',
    belief: 'in ring 3 that the caller may: the monitor gave the segment DPL 3, so that the kernel itself can use it.',
    preparation: ['mov eax, DATA | 3'],
    sequence: ['stealth:', 'verw ax', 'after:', 'setz al', 'movzx eax, al'],
    native: 'VERW 00000000\n',
  }),
  card('POP', '1F 07 17 0F A1 0F A9', {
    story: `The kernel pops a selector into DS. ${ACCESSED}`,
    belief: UNMARKED,
    preparation: ['push FRESH_DATA'],
    sequence: ['stealth:', 'pop ds', 'after:', 'movzx eax, byte [fresh_data + 5]'],
    native: 'POP 00000093\n',
    binaryTranslation: 'replaced by a load through the guest’s own table',
  }),
  card('PUSH', '0E 16 1E 06 0F A0 0F A8', {
    story: 'The kernel pushes CS, whose low two bits are the ring that runs. It prints them.',
    belief: 'rightly that it is not in ring 0, which it should not know.',
    sequence: ['stealth:', 'push cs', 'after:', 'pop eax', 'and eax, 3'],
    native: 'PUSH 00000000\n',
    binaryTranslation: 'replaced by a push of the virtual selector',
  }),
  card('CALL', '9A FF /3', {
    story: 'The kernel calls a subroutine with a far CALL, which pushes CS. It prints the selector on the stack.',
    belief: 'rightly that it was called from another ring than 0, which it should not know.',
    sequence: ['stealth:', 'call CODE:after', 'after:', 'mov eax, [esp + 4]', 'and eax, 0xffff'],
    native: 'CALL 00000008\n',
    binaryTranslation: 'replaced: the virtual CS is pushed, and the target is looked up',
    vtx: 'never exits; through a task gate it does (9)',
    svm: 'runs as it is; a task switch can be intercepted',
  }),
  card('JMP', 'EA FF /5', {
    story: `The kernel jumps into a code segment that nobody has used yet. ${ACCESSED}`,
    belief: UNMARKED,
    sequence: ['stealth:', 'jmp FRESH:after', 'after:', ...READ_TYPE],
    native: 'JMP 0000009b\n',
    binaryTranslation: 'replaced by a load through the guest’s own table, and the target is looked up',
    vtx: 'never exits; to a task it does (9)',
    svm: 'runs as it is; a task switch can be intercepted',
  }),
  card('INT n', 'CD ib', {
    story:
      'The kernel calls itself with INT 80h. Without a change of ring three words are pushed, with one five. It prints the bytes.',
    belief:
      'nothing wrong, where the monitor owns the IDT: INT n is sensitive by the definitions, but it arrives at the monitor by itself.',
    sequence: ['mov ebx, esp', 'stealth:', 'int 0x80', 'after:'],
    native: 'INT n 0000000c\n',
    binaryTranslation: 'replaced by a routine that builds the frame as the guest’s gate says',
    vtx: 'does not exit by itself; a task gate does (9)',
    svm: 'runs as it is; an intercept can make it exit (75h)',
  }),
  card('RET', 'CB CA', {
    story: `The kernel returns far, into a code segment that nobody has used yet, with the RPL that CS shows. ${ACCESSED}`,
    belief: UNMARKED,
    preparation: ['mov eax, cs', 'and eax, 3', 'or eax, FRESH', 'push eax', 'push after'],
    sequence: ['stealth:', 'retf', 'after:', ...READ_TYPE],
    native: 'RET 0000009b\n',
    binaryTranslation: 'replaced by a load through the guest’s own table, and the target is looked up',
    svm: 'runs as it is; IRET has an intercept (74h), RET has none',
  }),
  card('STR', '0F 00 /1', {
    story: 'The kernel has loaded TR with LTR and asks with STR which selector is there. It prints the selector.',
    belief: 'that it runs in the monitor’s task.',
    preparation: ['mov ax, TASK', 'ltr ax'],
    sequence: ['stealth:', 'str eax', 'after:'],
    native: 'STR 00000028\n',
    binaryTranslation: 'replaced by a read of the virtual TR',
    vtx: 'runs as it is: TR is the guest’s own; descriptor-table exiting (a later secondary control) can make it exit',
    svm: 'runs as it is; an intercept can make it exit (69h)',
    umip: 'traps',
  }),
  card('MOV', '8C /r 8E /r', {
    story: 'The kernel reads CS, whose low two bits are the ring that runs. It prints them.',
    belief: 'rightly that it is not in ring 0, which it should not know.',
    sequence: ['stealth:', 'mov eax, cs', 'after:', 'and eax, 3'],
    native: 'MOV 00000000\n',
    binaryTranslation: 'replaced by a read of the virtual selector',
  }),
];
