/** The refusals of a request from the wrong web page, or to the wrong host name. */
import { ErrorText } from "../../domain/Encoding.ts"
import { TaggedError } from "../../domain/TaggedError.ts"

export class OriginNotAllowed extends TaggedError<OriginNotAllowed>()(
  "OriginNotAllowed",
  { error: ErrorText },
  { httpApiStatus: 403, description: "The request comes from a web page whose origin may not send it." }
) {
  static readonly open = () =>
    new OriginNotAllowed({
      error:
        "A web page of another origin may not call a server without API_SECRET_KEY: add the page's origin to CORS_ORIGINS."
    })
  static readonly write = () =>
    new OriginNotAllowed({
      error: "A web page of this origin may not change anything on this server: add the origin to CORS_ORIGINS."
    })
  static readonly socket = () =>
    new OriginNotAllowed({
      error: "A web page of this origin may not open a WebSocket on this server: add the origin to CORS_ORIGINS."
    })
}

export class HostNotAllowed extends TaggedError<HostNotAllowed>()(
  "HostNotAllowed",
  { error: ErrorText },
  { httpApiStatus: 403, description: "A local server was called under a host name that is not its own." }
) {
  static readonly local = () =>
    new HostNotAllowed({
      error:
        "A local server does not answer under this host name: use localhost or an address, or add the name to ALLOWED_HOSTS."
    })
}
