/** Text of nodes without what XML forbids and terminals obey: control characters but line ends and tabs, lone surrogates. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])[\p{Cc}\ufffe\uffff]/gu, '\ufffd');
