// Code page 437, the characters of a PC's text mode, as Unicode. Those below 20h have pictures too.

const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** The character of a byte; 0 and FFh are blank. */
export function characterOf(byte: number): string {
  if (byte < 0x20) return LOW[byte] ?? ' ';
  if (byte < 0x7f) return String.fromCharCode(byte);
  return byte === 0x7f ? '⌂' : (HIGH[byte - 0x80] ?? ' ');
}
