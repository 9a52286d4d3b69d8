/** The icon: a PNG of 32 by 32 pixels in an ICO. */
const text = "AAABAAEAICAAAAEAIADSAAAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAIDAAAADhSSZwAAAAlQTFRFAAAAB1e4////zC2K" +
  "xAAAAAF0Uk5TAEDm2GYAAAB3SURBVHjafZCxFcAgCERNkRHcxxFS5CgcwX3IBhYyZUANdLnG/+6dcphS6ADKBKi2sawTTLgUcu21" +
  "3xYxgEUmFI1Qr6yhE1MKzc5xpdy4DRp3ysIiJArtEXnMAYkw/sHDcX0/6CNi6FfDi3nVKO/r+IK+cnzC0gulKE+Jz6xnAgAAAABJ" +
  "RU5ErkJggg=="

export const icon = (): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
