/** ChatGrid Auth in a stack of your CDK app, from the package that `make package` writes. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CfnDeployment } from "aws-cdk-lib/aws-apigateway";
import { CfnFunction, CfnLayerVersion } from "aws-cdk-lib/aws-lambda";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import { Construct } from "constructs";

export interface ChatGridProps {
  /** The folder that `make package` wrote: dist/package. */
  readonly package: string;
  /** Parameters of template.yaml, as text; the others keep their defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
}

interface Part {
  readonly logical_id: string;
  readonly file: string;
}

/**
 * The whole gate, as template.yaml has it: the package's zips become assets of the app.
 *
 * One for each stack: logical ids, and the names of the exports, are the template's own.
 */
export class ChatGrid extends Construct {
  /** What CDK knows of the template: getResource, getOutput. */
  readonly template: CfnInclude;
  /** The authorizer's alias, for your APIs. */
  readonly authorizerArn: string;
  /** The role in which API Gateway calls it. */
  readonly authorizerInvokeRoleArn: string;
  /** What clients put before a path. */
  readonly apiUrl: string;

  constructor(scope: Construct, id: string, props: ChatGridProps) {
    super(scope, id);
    const given = { ...props.parameters };
    this.template = new CfnInclude(this, "Template", {
      templateFile: join(props.package, "template.json"),
      // Where each zip lies is the asset's own, below.
      parameters: { ...given, ArtifactsBucket: "", ArtifactsPrefix: "" },
    });
    const manifest = JSON.parse(readFileSync(join(props.package, "manifest.json"), "utf8")) as {
      functions: Record<string, Part>;
      layers: Record<string, Part>;
    };
    for (const [name, part] of Object.entries({ ...manifest.functions, ...manifest.layers })) {
      const asset = new Asset(this, name, { path: join(props.package, part.file) });
      const place = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
      const resource = this.template.getResource(part.logical_id);
      if (resource instanceof CfnFunction) {
        resource.code = place;
      } else {
        (resource as CfnLayerVersion).content = place;
      }
    }
    this.nameDeployment(given);
    const output = (name: string): string => String(this.template.getOutput(name).value);
    this.authorizerArn = output("AuthorizerArn");
    this.authorizerInvokeRoleArn = output("AuthorizerInvokeRoleArn");
    this.apiUrl = output("ApiUrl");
  }

  /** Another value of a parameter is another deployment: else the stage would not learn of it. */
  private nameDeployment(given: Record<string, string>): void {
    const resources = this.template.node.findAll();
    const deployment = resources.find((one) => one instanceof CfnDeployment) as CfnDeployment;
    const sorted = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
    const what = JSON.stringify([deployment.description, sorted]);
    const digest = createHash("sha256").update(what).digest("hex").slice(0, 10);
    deployment.overrideLogicalId(`ApiDeployment${digest}`);
  }
}
