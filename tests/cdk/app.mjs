// The app that the test synthesizes: the gate in a stack of its own, and what others take from it.
import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { ChatGrid } from "chatgrid-cdk";

const app = new App();
const stack = new Stack(app, "Gate");
const gate = new ChatGrid(stack, "ChatGrid", {
  package: process.env.PACKAGE,
  parameters: JSON.parse(process.env.PARAMETERS),
});
new CfnOutput(stack, "Authorizer", { value: gate.authorizerArn });
new CfnOutput(stack, "Role", { value: gate.authorizerInvokeRoleArn });
new CfnOutput(stack, "Url", { value: gate.apiUrl });
