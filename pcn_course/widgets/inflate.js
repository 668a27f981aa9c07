// What a kernel sends is deflated when it is long: nothing else compresses its line.

/**
 * @param {string} text base64 of deflated UTF-8
 * @returns {Promise<string>}
 */
export async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}
