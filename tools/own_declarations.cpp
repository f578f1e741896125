// A plugin of clang-tidy 19 (tools/tidy builds and loads it): its checks look at the declarations
// that stand in our own files, not at those of the standard library and other system headers, whose
// findings it would drop anyway. The findings are the same (tools/lint-self-test compares them), in
// a third of the time. From version 21 on clang-tidy does this by itself, and this file goes.
#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/AST/Decl.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Frontend/FrontendPluginRegistry.h>

#include <memory>
#include <string>
#include <vector>

namespace {

class OwnDeclarations : public clang::ASTConsumer {
public:
    void HandleTranslationUnit(clang::ASTContext& context) override {
        const auto& sources = context.getSourceManager();
        std::vector<clang::Decl*> own;
        for (auto* declaration : context.getTranslationUnitDecl()->decls())
            if (!sources.isInSystemHeader(declaration->getLocation())) own.push_back(declaration);
        context.setTraversalScope(own);
    }
};

// Runs before the consumer of clang-tidy, which then matches within the scope that was set.
class Action : public clang::PluginASTAction {
    std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& /*compiler*/,
                                                          llvm::StringRef /*file*/) override {
        return std::make_unique<OwnDeclarations>();
    }
    bool ParseArgs(const clang::CompilerInstance& /*compiler*/,
                   const std::vector<std::string>& /*arguments*/) override {
        return true;
    }
    ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<Action> action("own-declarations",
                                                        "matchers see our own declarations only");

}  // namespace
