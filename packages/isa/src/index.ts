export * from './registers/cells.js';
export * from './instruction.js';
export * from './opcodes/form.js';
export * from './microcode/helper.js';
export * from './microcode/helpers.js';
export * from './microcode/intercept.js';
export * from './microcode/microcode.js';
export * from './microcode/value.js';
