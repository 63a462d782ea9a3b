// The page and its worker as static files that work from any folder, offline, without a server of ours.

import {defaultClientConditions, defineConfig} from 'vite';

/** Data and pure functions: of these a page carries only the modules whose exports it uses. */
const PURE = /packages\/(?:base|isa|trace)\/src\//;

export default defineConfig({
  base: './',
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    modulePreload: {polyfill: false},
    rolldownOptions: {treeshake: {moduleSideEffects: id => !PURE.test(id)}},
  },
  worker: {format: 'es'},
});
