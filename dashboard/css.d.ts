/** The build turns imported style sheets into files of their own. */
declare module "*.css";
