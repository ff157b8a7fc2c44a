// The bundler takes these; they have no types.
declare module "*.css";
