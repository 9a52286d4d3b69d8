/** A diagram of nodes and arrows, to pan and to zoom. The nodes are HTML above the arrows, so they may be links. */
import { createEffect, createSignal, For, type JSX, on, onCleanup, Show } from "solid-js"
import { Button } from "../Basics.tsx"
import "./graph.css"
import { layOut, lineThrough, type Placed } from "./layout.ts"
import { createView } from "./view.ts"

export interface Edge {
  readonly from: string
  readonly to: string
  /** `main` stands out, `past` steps back, `other` is dashed. */
  readonly kind?: "usual" | "main" | "past" | "other"
}

export interface DiagramProps {
  readonly label: string
  readonly direction?: "LR" | "TB"
  readonly nodes: ReadonlyArray<string>
  readonly edges: ReadonlyArray<Edge>
  readonly size: { readonly width: number; readonly height: number }
  readonly node: (id: string) => JSX.Element
  /** The node that is in the middle at first. */
  readonly middle?: string
}

interface Drawing {
  readonly plan: { readonly nodes: ReadonlyArray<string>; readonly edges: ReadonlyArray<Edge> }
  readonly placed: Placed
}

let diagrams = 0

export const Diagram = (props: DiagramProps) => {
  const name = `arrow-${++diagrams}`
  const [drawing, setDrawing] = createSignal<Drawing>()
  const [failed, setFailed] = createSignal(false)
  const [frame, setFrame] = createSignal<HTMLElement>()
  const view = createView(frame, () => drawing()?.placed)

  // What is drawn changes only if the nodes or the arrows do: their states change much more often.
  const shape = () => JSON.stringify([props.nodes, props.edges.map(({ from, to }) => [from, to])])
  createEffect(on(shape, () => {
    const known = new Set(props.nodes)
    const plan = {
      nodes: props.nodes,
      edges: props.edges.filter(({ from, to }) => known.has(from) && known.has(to))
    }
    const { placed, stop } = layOut({
      direction: props.direction ?? "LR",
      nodes: plan.nodes.map((id) => ({ id, ...props.size })),
      edges: plan.edges.map(({ from, to }) => ({ from, to }))
    })
    let stopped = false
    onCleanup(() => {
      stopped = true
      stop()
    })
    void placed.then((result) => {
      if (stopped) return
      setFailed(result === undefined)
      if (result === undefined) return
      const isFirst = drawing() === undefined
      setDrawing({ plan, placed: result })
      if (!isFirst) return
      const at = props.middle === undefined ? -1 : plan.nodes.indexOf(props.middle)
      view.begin(at < 0 ? undefined : result.nodes[at])
    })
  }))
  /** The arrow as it is now, by the place that it was drawn at. */
  const kinds = () => new Map(props.edges.map(({ from, kind, to }) => [`${from}\n${to}`, kind ?? "usual"]))

  return (
    <div class="diagram">
      <Show when={failed()}>
        <p class="quiet">There are too many arrows to draw them.</p>
      </Show>
      <div
        class="diagram-frame"
        ref={(element) => {
          setFrame(element)
          view.listen(element)
        }}
        role="group"
        aria-label={`${props.label}. Arrow keys move it, plus and minus change its size.`}
        tabindex="0"
        style={{ height: `clamp(12rem, ${(drawing()?.placed.height ?? 0) + 32}px, min(34rem, 70vh))` }}
      >
        <Show when={drawing()} fallback={<p class="quiet diagram-wait">{failed() ? "" : "Drawing …"}</p>}>
          {(drawn) => (
            <div class="diagram-plane" style={{ transform: view.transform() }}>
              <svg width={drawn().placed.width} height={drawn().placed.height} aria-hidden="true">
                <defs>
                  <For each={["usual", "main", "past", "other"]}>
                    {(kind) => (
                      <marker
                        id={`${name}-${kind}`}
                        viewBox="0 0 8 8"
                        refX="7"
                        refY="4"
                        markerWidth="7"
                        markerHeight="7"
                        markerUnits="userSpaceOnUse"
                        orient="auto"
                      >
                        <path class="diagram-head" data-kind={kind} d="M0 0 8 4 0 8z" />
                      </marker>
                    )}
                  </For>
                </defs>
                <For each={drawn().plan.edges}>
                  {({ from, to }, n) => {
                    const kind = () => kinds().get(`${from}\n${to}`) ?? "usual"
                    return (
                      <path
                        class="diagram-edge"
                        data-kind={kind()}
                        d={lineThrough(drawn().placed.edges[n()]!)}
                        marker-end={`url(#${name}-${kind()})`}
                      />
                    )
                  }}
                </For>
              </svg>
              <For each={drawn().plan.nodes}>
                {(id, n) => {
                  const at = () => drawn().placed.nodes[n()]!
                  return (
                    <div
                      class="diagram-node"
                      style={{
                        left: `${at().x - props.size.width / 2}px`,
                        top: `${at().y - props.size.height / 2}px`,
                        width: `${props.size.width}px`,
                        height: `${props.size.height}px`
                      }}
                      onFocusIn={() => view.show(at())}
                    >
                      {props.node(id)}
                    </div>
                  )
                }}
              </For>
            </div>
          )}
        </Show>
      </div>
      <div class="buttons diagram-tools">
        <Button aria-label="Smaller" onClick={() => view.zoom(1 / 1.3)}>−</Button>
        <Button aria-label="Larger" onClick={() => view.zoom(1.3)}>+</Button>
        <Button onClick={() => view.fit()}>All of it</Button>
        <span class="quiet">Drag to move. Ctrl and the wheel, or two fingers, change the size.</span>
      </div>
    </div>
  )
}
