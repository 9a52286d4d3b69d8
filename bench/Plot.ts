/** Lines over depth as an SVG, both axes logarithmic. */

export interface Line {
  readonly name: string
  /** One value for each depth, in order. */
  readonly values: ReadonlyArray<number>
}

const [width, height] = [860, 420]
const [left, right, top, bottom] = [64, 250, 44, 52]
const colours = ["#0b6bcb", "#c1121f", "#2a7f3f", "#8a4fbf", "#b35900", "#00798c", "#5c5c5c", "#a0005a", "#6b7a00"]
const LabelHeight = 16

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const text = (x: number, y: number, content: string, rest = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${rest}>${escape(content)}</text>`

/** The powers of ten from `from` to `to`. */
const powers = (from: number, to: number) => {
  const first = Math.floor(Math.log10(from))
  return Array.from({ length: Math.ceil(Math.log10(to)) - first + 1 }, (_, n) => 10 ** (first + n))
}

/** Labels at these heights, moved down as far as they would otherwise cover each other, and up where the plot ends. */
const apart = (heights: ReadonlyArray<number>): ReadonlyArray<number> => {
  const order = heights.map((y, n) => ({ n, y })).sort((a, b) => a.y - b.y)
  for (const [n, label] of order.entries()) label.y = Math.max(label.y, n === 0 ? top : order[n - 1]!.y + LabelHeight)
  let lowest = height - bottom + LabelHeight
  for (const label of order.toReversed()) lowest = (label.y = Math.min(label.y, lowest)) - LabelHeight
  return order.sort((a, b) => a.n - b.n).map(({ y }) => y)
}

export const svg = (title: string, depths: ReadonlyArray<number>, lines: ReadonlyArray<Line>): string => {
  const ys = powers(1, Math.max(10, ...lines.flatMap(({ values }) => values)))
  const [lowest, highest] = [Math.log10(ys[0]!), Math.log10(ys.at(-1)!)]
  const [first, last] = [Math.log10(depths[0]!), Math.log10(depths.at(-1)!)]
  const x = (depth: number) => left + (Math.log10(depth) - first) / (last - first || 1) * (width - left - right)
  // A logarithmic axis has no zero: a value of 0 is drawn at 1.
  const y = (value: number) =>
    height - bottom - (Math.log10(Math.max(1, value)) - lowest) / (highest - lowest) * (height - top - bottom)
  const labels = apart(lines.map(({ values }) => y(values.at(-1)!)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 24, title, "font-size=\"15\" font-weight=\"bold\""),
    ...ys.map((value) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#ddd"/>`
      + text(left - 8, y(value) + 4, value.toLocaleString("en"), "text-anchor=\"end\"")
    ),
    ...depths.map((depth) =>
      text(x(depth), height - bottom + 20, depth.toLocaleString("en"), "text-anchor=\"middle\"")
    ),
    text((left + width - right) / 2, height - 12, "tasks in the queue", "text-anchor=\"middle\""),
    ...lines.flatMap(({ name, values }, n) => {
      const colour = colours[n % colours.length]!
      const points = values.map((value, i) => `${x(depths[i]!).toFixed(1)},${y(value).toFixed(1)}`)
      const [endX, endY] = [width - right, y(values.at(-1)!)]
      return [
        `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map((point) => {
          const [cx, cy] = point.split(",")
          return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`
        }),
        `<path d="M${endX + 4} ${endY.toFixed(1)}L${endX + 16} ${labels[n]!.toFixed(1)}" stroke="${colour}"/>`,
        text(endX + 20, labels[n]! + 4, name, `fill="${colour}"`)
      ]
    }),
    "</svg>\n"
  ].join("\n")
}
