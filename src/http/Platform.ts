/**
 * Services that the router needs to serve files. The Worker serves no files, so these are never used. The real ones
 * bring tables of file types and would make the Worker a twentieth larger.
 */
import type * as Context from "effect/Context"
import * as FileSystem from "effect/FileSystem"
import * as Etag from "effect/http/Etag"
import * as HttpPlatform from "effect/http/HttpPlatform"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"

const unused = <Id, Service>(key: Context.Key<Id, Service>) => Layer.succeed(key, {} as Service)

export const PlatformLayer = Layer.mergeAll(
  unused(HttpPlatform.HttpPlatform),
  unused(Etag.Generator),
  unused(Path.Path),
  unused(FileSystem.FileSystem)
)
