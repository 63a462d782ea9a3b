export {assemble} from './assembler.js';
export type {AssembleOptions, Assembly, SourceLine} from './assembler.js';
export type {Diagnostic, Span} from './diagnostics.js';
export {tokenize} from './lexer.js';
export type {Token} from './lexer.js';
