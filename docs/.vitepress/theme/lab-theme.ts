// Labs follow the reader's choice of light or dark for the documentation; where that is the system's, they follow the system themselves.

import {onContentUpdated, useData} from 'vitepress';
import {defineComponent, onMounted, watch} from 'vue';

/** Draws nothing. */
export const LabTheme = defineComponent(() => {
  const {isDark} = useData();
  const follow = (): void => {
    const isSystems = matchMedia('(prefers-color-scheme: dark)').matches === isDark.value;
    for (const lab of document.querySelectorAll('hyperscope-lab')) {
      if (isSystems) lab.removeAttribute('theme');
      else lab.setAttribute('theme', isDark.value ? 'dark' : 'light');
    }
  };
  onMounted(() => {
    follow();
    watch(isDark, follow);
  });
  onContentUpdated(follow);
  return () => undefined;
});
