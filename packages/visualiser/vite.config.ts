// The page and its worker as static files that work from any folder, offline, without a server of ours.

import {defaultClientConditions, defineConfig} from 'vite';

/** Data and pure functions: of these a page carries only the modules whose exports it uses. */
const PURE = /packages\/(?:assembler|base|guests|isa|machine|simulation|trace|vmm|walkthroughs)\/src\//;
const treeshake = {moduleSideEffects: (id: string) => !PURE.test(id)};

export default defineConfig({
  base: './',
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    modulePreload: {polyfill: false},
    rolldownOptions: {treeshake},
  },
  worker: {format: 'es', rolldownOptions: {treeshake}},
});
