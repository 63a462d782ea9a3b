// Files beside the page whose names stay: <hyperscope-lab>, which other people's pages name, and the service worker.

import {defaultClientConditions, defineConfig} from 'vite';

export default defineConfig({
  publicDir: false,
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    lib: {
      entry: {'hyperscope-lab': 'src/embed/hyperscope-lab.ts', 'service-worker': 'src/offline/service-worker.ts'},
      formats: ['es'],
    },
    rolldownOptions: {treeshake: {moduleSideEffects: false}},
  },
});
