/** The page at `/app/`. */
import { render } from "solid-js/web"
import { App } from "./App.tsx"
import "./tokens.css"
import "./parts/parts.css"

render(() => <App />, document.getElementById("app")!)
