// A picture as PNG, drawn from its SVG at a scale for print and projectors.

import type {Picture} from './svg-picture.js';

/** Pixels of the PNG for each CSS pixel. */
const SCALE = 3;
/** Browsers draw nothing at all on larger canvases. */
const MOST_PIXELS = 8192;

/** Draws a picture as PNG. @throws Error when the browser cannot, with what to do instead. */
export async function pngOf({svg, width, height}: Picture): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'}));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const scale = Math.min(SCALE, MOST_PIXELS / Math.max(width, height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/png'));
    if (blob === null) throw new Error('no picture');
    return blob;
  } catch {
    throw new Error('This browser could not draw the picture as PNG. Save it as SVG instead.');
  } finally {
    URL.revokeObjectURL(address);
  }
}
