core.register_action("check", {"http-req"}, function(txn) end)
