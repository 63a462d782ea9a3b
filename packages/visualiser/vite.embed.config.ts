// <hyperscope-lab> as one file beside the page, under a name that stays: other people's pages name it.

import {defaultClientConditions, defineConfig} from 'vite';

export default defineConfig({
  publicDir: false,
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    lib: {entry: 'src/embed/hyperscope-lab.ts', formats: ['es'], fileName: 'hyperscope-lab'},
    rolldownOptions: {treeshake: {moduleSideEffects: false}},
  },
});
