// The picture of a video that has none: colours from its tags, shapes from its id.

function hash(text) {
  let value = 0x811c9dc5;
  for (const sign of text) value = Math.imul(value ^ sign.codePointAt(0), 0x01000193) >>> 0;
  // The last bits of neighbours differ, the first do not: mix them.
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b) >>> 0;
  return (value ^ (value >>> 13)) >>> 0;
}

/** The hue of a tag in degrees: the same wherever the tag stands. */
export const hue = (tag) => hash(tag) % 360;

/** Sets what the style sheet draws an element's picture from. */
export function paint(element, id, tags) {
  const seed = hash(String(id));
  const hues = (tags.length ? tags : [String(id)]).slice(0, 3).map(hue);
  const drawn = {
    "--h1": hues[0],
    "--h2": hues[1] ?? (hues[0] + 38) % 360,
    "--h3": hues[2] ?? (hues[0] + 320) % 360,
    "--x1": `${10 + (seed % 80)}%`,
    "--y1": `${(seed >>> 7) % 45}%`,
    "--x2": `${(seed >>> 12) % 100}%`,
    "--y2": `${50 + ((seed >>> 17) % 45)}%`,
    "--gap": `${16 + ((seed >>> 22) % 22)}px`,
  };
  for (const [name, value] of Object.entries(drawn)) element.style.setProperty(name, value);
}
